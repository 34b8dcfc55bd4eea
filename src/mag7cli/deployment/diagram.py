"""The architecture of the chosen parts, as a Mermaid diagram."""

from collections.abc import Iterator
from typing import Final

from mag7cli.deployment.template import Choice

_NODES: Final = (
    ("schedule", "Schedule[EventBridge Scheduler<br>every evening, New York]"),
    ("machines", "Machines[Step Functions<br>history, recovery]"),
    ("functions", "Functions[Lambda functions]"),
    ("functions", "Secret[(Secrets Manager<br>the key)]"),
    ("functions", "Topic>SNS notifications]"),
    ("bucket", "Lake[(S3 bucket<br>raw, processed, analytics)]"),
    ("catalog", "Catalog[Glue catalog<br>market_data, market_data_by_date]"),
    ("athena", "Athena[Athena workgroup<br>named queries]"),
    ("alarms", "Alarms[CloudWatch alarms<br>budget]"),
    ("quicksight", "QuickSight[QuickSight dashboard]"),
    ("redshift", "Redshift[(Redshift Serverless<br>COPY jobs)]"),
    ("spark", "Spark[Glue job<br>transform on Spark]"),
)
_ARROWS: Final = (
    ("schedule", "machines", "Schedule --> Machines"),
    ("machines", "functions", "Machines --> Functions"),
    ("functions", "functions", "Vendor((Polygon.io)) --> Functions"),
    ("functions", "functions", "Secret --> Functions"),
    ("functions", "bucket", "Functions --> Lake"),
    ("functions", "functions", "Functions --> Topic"),
    ("functions", "catalog", "Functions --> Catalog"),
    ("bucket", "catalog", "Lake --- Catalog"),
    ("catalog", "athena", "Catalog --> Athena"),
    ("athena", "quicksight", "Athena --> QuickSight"),
    ("machines", "alarms", "Machines --> Alarms"),
    ("functions", "alarms", "Alarms --> Topic"),
    ("bucket", "redshift", "Lake -- events --> Redshift"),
    ("bucket", "spark", "Lake <--> Spark"),
)


def mermaid(choice: Choice) -> str:
    """The parts and what flows between them."""
    return "\n".join(("flowchart LR", *(f"    {text}" for text in _texts(choice)), ""))


def _texts(choice: Choice) -> Iterator[str]:
    yield from (node for part, node in _NODES if part in choice.on)
    yield from (arrow for source, target, arrow in _ARROWS if {source, target} <= choice.on)
