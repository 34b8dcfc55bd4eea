"""What has no domain: errors and their exit codes, time, progress, logs, figures as text, tables of facts."""
