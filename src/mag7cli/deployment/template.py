"""The parts put together: one CloudFormation template whose parameters choose what of it is made.

Columns come from the declared tables, queries from the SQL files, policies from `roles`; the rest stands in `parts/`.
The template is the same for every account: it holds no account id, no bucket of anybody's and no key.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mag7cli.collection import benchmarks
from mag7cli.core.errors import UsageError
from mag7cli.core.suggestions import did_you_mean
from mag7cli.deployment import parts, quicksight, roles
from mag7cli.deployment.parts import sub
from mag7cli.deployment.queries import named_queries
from mag7cli.lake.layout import ANALYTICS, PROCESSED
from mag7cli.tables.schema import PUBLISHED, TABLES, Table
from mag7cli.vendors.subscription import Plan, plans
from mag7cli.warehouse.glue_catalog import partitioned_input, table_input

PARTS: Final = (
    "bucket",
    "functions",
    "machines",
    "schedule",
    "catalog",
    "athena",
    "alarms",
    "redshift",
    "quicksight",
    "spark",
)
"""Every part, in the order of the template."""

RUNTIME: Final = "python3.13"

Resource = Mapping[str, Any]

_COMMON: Final = "common"
_HANDLERS: Final = "mag7cli.deployment.functions"
_MARGIN_MINUTES: Final = 5


@dataclass(frozen=True, slots=True)
class Part:
    """One part: what it is, whether it is made by default, and the parts that it stands on."""

    name: str
    summary: str
    is_default: bool
    needs: tuple[str, ...]

    @property
    def parameter(self) -> str:
        """The parameter that switches it, `on` or `off`."""
        return f"Use{self.title}"

    @property
    def condition(self) -> str:
        """The condition that holds where the part and all that it needs are on."""
        return f"With{self.title}"

    @property
    def title(self) -> str:
        """The name as it stands in names of the template."""
        return self.name.capitalize()


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wants to deploy: parts by name, and values of parameters instead of their defaults."""

    on: frozenset[str]
    values: Mapping[str, str]

    def parameters(self) -> dict[str, str]:
        """The values of the parameters that differ from the defaults of the template."""
        switches = {part.parameter: "on" if part.name in self.on else "off" for part in all_parts()}
        return {**switches, **self.values}


def all_parts() -> list[Part]:
    """Every part that there is, in order. Raises ExtraMissingError without PyYAML."""
    return [_part(name) for name in PARTS]


def _part(name: str) -> Part:
    content = parts.read(name)
    return Part(name, content["Summary"], content["Default"] == "on", tuple(content["Needs"]))


def choose(
    with_parts: Sequence[str] = (), without: Sequence[str] = (), values: Mapping[str, str] | None = None
) -> Choice:
    """The default parts with some more and some less, and values of parameters.

    Args:
        with_parts: Parts to have besides the default ones; what they need comes with them.
        without: Parts to leave out.
        values: Parameters by name.

    Raises:
        UsageError: There is no such part, parameter or value, or a part is left out that another one needs.
    """
    known = {part.name: part for part in all_parts()}
    for name in (*with_parts, *without):
        if name not in known:
            raise UsageError(f"there is no part {name!r}", hint=did_you_mean(name, known) or f"use {', '.join(known)}")
    chosen = {name for name, part in known.items() if part.is_default and name not in without} | set(with_parts)
    needed = {need: name for name in chosen for need in known[name].needs}
    for need, name in needed.items():
        if need in without:
            raise UsageError(f"{name} needs {need}", hint=f"leave out {name}, too: --without {name}")
    choice = Choice(frozenset(chosen | _all_needs(known, chosen)), dict(values or {}))
    _check_values(choice.values)
    return choice


def check_region(choice: Choice, region: str) -> None:
    """Raise UsageError for a part that the region does not offer."""
    for name in sorted(choice.on):
        if region in parts.read(name).get("NotOfferedIn", ()):
            raise UsageError(f"{region} does not offer {name}", hint=f"--without {name}, or another AWS_DEFAULT_REGION")


def _all_needs(known: Mapping[str, Part], names: set[str]) -> set[str]:
    needs = {need for name in names for need in known[name].needs}
    return needs | _all_needs(known, needs) if needs else needs


def _check_values(values: Mapping[str, str]) -> None:
    declared = _parameters()
    for name, value in values.items():
        if name not in declared:
            hint = did_you_mean(name, declared) or "mag7 deploy render prints every parameter"
            raise UsageError(f"there is no parameter {name!r}", hint=hint)
        allowed = declared[name].get("AllowedValues")
        if allowed and value not in map(str, allowed):
            raise UsageError(f"{name}={value}: use one of {', '.join(map(str, allowed))}")
    benchmarks.symbols_of(values.get("Benchmarks", ""))


# Rendering


def render(choice: Choice | None = None) -> dict[str, Any]:
    """The template, with the choice as the defaults of its parameters."""
    contents = [(_part(name), parts.read(name)) for name in PARTS]
    parameters = _parameters()
    for name, value in (choice.parameters() if choice else {}).items():
        parameters[name] = {**parameters[name], "Default": value}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "mag7 - how much of the S&P 500 is really seven companies, every evening",
        "Metadata": {"AWS::CloudFormation::Interface": _interface(contents)},
        "Parameters": parameters,
        "Mappings": {"Plans": {name: {"Evening": evening(plan)} for name, plan in plans().items()}},
        "Rules": dict(_rules(contents)),
        "Conditions": dict(_conditions(contents)),
        "Resources": dict(_resources(contents)),
        "Outputs": {**parts.read(_COMMON)["Outputs"], **dict(_outputs(contents))},
    }


def _parameters() -> dict[str, Any]:
    parameters = dict(parts.read(_COMMON)["Parameters"])
    for part in all_parts():
        parameters[part.parameter] = {
            "Type": "String",
            "Default": "on" if part.is_default else "off",
            "AllowedValues": ["on", "off"],
            "Description": part.summary,
        }
        parameters |= parts.read(part.name).get("Parameters", {})
    return parameters


def _interface(contents: Sequence[tuple[Part, Mapping[str, Any]]]) -> Mapping[str, Any]:
    """The parameters in groups, as the console shows them."""
    groups = [{"Label": {"default": "All parts"}, "Parameters": list(parts.read(_COMMON)["Parameters"])}]
    groups += [
        {"Label": {"default": part.title}, "Parameters": [part.parameter, *content.get("Parameters", ())]}
        for part, content in contents
    ]
    return {"ParameterGroups": groups}


def _rules(contents: Sequence[tuple[Part, Mapping[str, Any]]]) -> Iterator[tuple[str, Any]]:
    """Whoever switches a part on without what it needs is told before anything is made."""
    by_name = {part.name: part for part, _ in contents}
    for part, _ in contents:
        for need in part.needs:
            assertion = {
                "Assert": {"Fn::Equals": [{"Ref": by_name[need].parameter}, "on"]},
                "AssertDescription": f"{part.parameter} needs {by_name[need].parameter}",
            }
            condition = {"Fn::Equals": [{"Ref": part.parameter}, "on"]}
            yield f"{part.title}Needs{by_name[need].title}", {"RuleCondition": condition, "Assertions": [assertion]}


def _conditions(contents: Sequence[tuple[Part, Mapping[str, Any]]]) -> Iterator[tuple[str, Any]]:
    yield from parts.read(_COMMON)["Conditions"].items()
    by_name = {part.name: part for part, _ in contents}
    for part, content in contents:
        own = {"Fn::Equals": [{"Ref": part.parameter}, "on"]}
        needs = [{"Condition": by_name[need].condition} for need in part.needs]
        yield part.condition, {"Fn::And": [own, *needs]} if needs else own
        yield from content.get("Conditions", {}).items()


def _outputs(contents: Sequence[tuple[Part, Mapping[str, Any]]]) -> Iterator[tuple[str, Any]]:
    for part, content in contents:
        for name, output in content.get("Outputs", {}).items():
            yield name, {"Condition": part.condition, **output}


def _resources(contents: Sequence[tuple[Part, Mapping[str, Any]]]) -> Iterator[tuple[str, Resource]]:
    """Every resource of every part, under the condition of its part unless it has its own."""
    for part, content in contents:
        for name, resource in _resources_of(content):
            kind = {"Type": resource["Type"], "Condition": resource.get("Condition", part.condition)}
            yield name, {**kind, **(_CHECKED_HERE if content.get("NotOfferedIn") else {}), **resource}


# `check_region` knows where they are not offered, and whether they are chosen at all.
_CHECKED_HERE: Final = {"Metadata": {"cfn-lint": {"config": {"ignore_checks": ["E3006"]}}}}


def _resources_of(content: Mapping[str, Any]) -> Iterator[tuple[str, Resource]]:
    yield from content.get("Resources", {}).items()
    for name, function in content.get("Functions", {}).items():
        yield from _function(name, function)
    for name, machine in content.get("Machines", {}).items():
        yield from _machine(name, machine)
    for name, role in content.get("Roles", {}).items():
        yield name, roles.role(role["Service"], role["Summary"], role["Policies"])
    if content.get("Tables"):
        yield from _tables()
    if content.get("Queries"):
        yield from named_queries()
    if content.get("Dashboards"):
        yield from quicksight.resources()


# Functions and machines


def _function(name: str, function: Mapping[str, Any]) -> Iterator[tuple[str, Resource]]:
    """A function with its log group and its role."""
    yield (
        f"{name}Logs",
        {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {
                "LogGroupName": sub(f"/aws/lambda/${{Name}}-{name.lower()}"),
                "RetentionInDays": {"Ref": "LogDays"},
            },
        },
    )
    yield f"{name}Role", _function_role(name, function)
    yield (
        f"{name}Function",
        {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": sub(f"${{Name}}-{name.lower()}"),
                "Description": function["Summary"],
                "Runtime": RUNTIME,
                "Handler": f"{_HANDLERS}.{name.lower()}",
                "Architectures": [{"Ref": "Architecture"}],
                "Code": {"S3Bucket": sub("${Code}"), "S3Key": {"Ref": "CodeKey"}},
                "Role": {"Fn::GetAtt": [f"{name}Role", "Arn"]},
                "MemorySize": function["MemorySize"],
                "Timeout": function["Timeout"],
                "LoggingConfig": {"LogGroup": {"Ref": f"{name}Logs"}, "LogFormat": "JSON"},
                "Environment": {"Variables": {**_ENVIRONMENT, **function.get("Environment", {})}},
                **{key: function[key] for key in _OPTIONAL if key in function},
            },
        },
    )


_ENVIRONMENT: Final[Mapping[str, Any]] = {
    "MAG7_LAKE": sub("s3://${Lake}"),
    "MAG7_BUCKET_OWNER": {"Ref": "AWS::AccountId"},
    "MAG7_PLAN": {"Ref": "Plan"},
}
_OPTIONAL: Final = ("ReservedConcurrentExecutions", "EphemeralStorage")


def _function_role(name: str, function: Mapping[str, Any]) -> Resource:
    role = roles.role("lambda.amazonaws.com", function["Summary"], function["Policies"])
    logs = {
        "PolicyName": "logs",
        "PolicyDocument": roles.substituted(roles.logs(f"${{{name}Logs.Arn}}")),
    }
    properties = role["Properties"]
    return {**role, "Properties": {**properties, "Policies": [logs, *properties["Policies"]]}}


def _machine(name: str, machine: Mapping[str, Any]) -> Iterator[tuple[str, Resource]]:
    """A state machine with its role."""
    summary = machine["Summary"]
    yield f"{name}MachineRole", roles.role("states.amazonaws.com", summary, ["invoke_functions"])
    yield (
        f"{name}Machine",
        {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": sub(f"${{Name}}-{name.lower()}"),
                "StateMachineType": "STANDARD",
                "RoleArn": {"Fn::GetAtt": [f"{name}MachineRole", "Arn"]},
                "Definition": definition(name),
                "DefinitionSubstitutions": dict(_substitutions()),
            },
        },
    )


def definition(name: str) -> dict[str, Any]:
    """A machine's definition in Amazon's States Language (JSONPath), with `${…}` for functions and topic."""
    machine = parts.read("machines")["Machines"][name]
    return {
        "Comment": machine["Summary"],
        "QueryLanguage": "JSONPath",
        "StartAt": machine["StartAt"],
        "TimeoutSeconds": machine["TimeoutSeconds"],
        "States": dict(parts.read_states(name.lower())),
    }


def _substitutions() -> Iterator[tuple[str, Any]]:
    for name in roles.FUNCTIONS:
        yield f"{name}Function", {"Fn::GetAtt": [f"{name}Function", "Arn"]}
    yield "Topic", {"Ref": "Topic"}


# The catalog


def _tables() -> Iterator[tuple[str, Resource]]:
    for table in PUBLISHED:
        flat = table_input(table, f"s3://${{Lake}}/{ANALYTICS}{table.name}/")
        yield f"{_camel(table)}Table", _glue_table("Database", flat)
    for table in TABLES:
        by_date = partitioned_input(table, f"s3://${{Lake}}/{PROCESSED}{table.name}/")
        yield f"{_camel(table)}ByDateTable", _glue_table("DatabaseByDate", by_date)


def _glue_table(database: str, declared: Mapping[str, Any]) -> Resource:
    return {
        "Type": "AWS::Glue::Table",
        "Properties": {
            "CatalogId": {"Ref": "AWS::AccountId"},
            "DatabaseName": {"Ref": database},
            "TableInput": roles.substituted(declared),
        },
    }


def _camel(table: Table) -> str:
    return "".join(word.capitalize() for word in table.name.split("_"))


# The schedule


def evening(plan: Plan) -> str:
    """The cron expression, in New York's time, from which the plan serves a session, and some minutes later.

    Source: EventBridge Scheduler user guide, "Schedule types": minutes hours day-of-month month day-of-week year.
    """
    hours, minutes = divmod(int(plan.opens_after.total_seconds()) // 60 + _MARGIN_MINUTES, 60)
    days = "TUE-SAT" if hours >= _HOURS_A_DAY else "MON-FRI"
    return f"cron({minutes} {hours % _HOURS_A_DAY} ? * {days} *)"


_HOURS_A_DAY: Final = 24
