"""The pipeline in an AWS account: one CloudFormation template, one function package, and the commands that use them."""
