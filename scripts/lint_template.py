"""Run cfn-lint over the deployment's template: as it is, and with --every for each combination of its parts.

cfn-lint follows conditions by itself; the combinations are decided here besides, so that nothing depends on that.
"""

import sys
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from cfnlint import lint_all

from mag7cli.deployment import parts, template


def combination(names: frozenset[str]) -> dict[str, Any]:
    """The template as CloudFormation would see it with these parts on: conditions decided, and gone."""
    rendered = template.render()
    known = {part.condition: part.name in names for part in template.all_parts()}
    decided = {name: known.get(name, False) for name in rendered["Conditions"]}
    keep = {kind: of_parts(rendered[kind], decided) for kind in ("Resources", "Outputs")}
    used = str(keep)
    return {
        "AWSTemplateFormatVersion": rendered["AWSTemplateFormatVersion"],
        "Parameters": rendered["Parameters"],
        "Mappings": rendered["Mappings"] if "'Plans'" in used else {"None": {"None": {"None": "none"}}},
        **{kind: content for kind, content in keep.items() if content},
    }


def of_parts(content: Mapping[str, Any], decided: Mapping[str, bool]) -> dict[str, Any]:
    """What is made under its condition, without it."""
    return {
        name: decide({key: value for key, value in one.items() if key != "Condition"}, decided)
        for name, one in content.items()
        if decided.get(one.get("Condition", ""), True)
    }


def decide(value: Any, decided: Mapping[str, bool]) -> Any:
    """The value with every `Fn::If` decided."""
    if isinstance(value, Mapping):
        if "Fn::If" in value:
            name, yes, no = value["Fn::If"]
            return decide(yes if decided[name] else no, decided)
        return {key: decide(inner, decided) for key, inner in value.items()}
    return [decide(inner, decided) for inner in value] if isinstance(value, list) else value


def every() -> Iterator[frozenset[str]]:
    """Every set of parts in which each has what it needs."""
    known = {part.name: part for part in template.all_parts()}
    for size in range(1, len(known) + 1):
        for names in map(frozenset, combinations(known, size)):
            if all(set(known[name].needs) <= names for name in names):
                yield names


def findings(content: Mapping[str, Any]) -> list[str]:
    """What cfn-lint has against a template; its remarks on style are not asked for."""
    matches = lint_all(parts.dump(content))
    return [str(match) for match in matches if not match.rule.id.startswith("I") and match.rule.id not in IGNORED]


# Parameters and mappings that a combination does not use are none of the real template's.
IGNORED = frozenset({"W7001", "W2001"})


def main() -> int:
    """Print what was found; 1 if that was anything."""
    found = {"the template": findings(template.render())}
    if "--every" in sys.argv:
        found |= {", ".join(sorted(names)): findings(combination(names)) for names in every()}
    for name, complaints in found.items():
        for complaint in complaints:
            print(f"{name}: {complaint}")
    print(f"cfn-lint: {len(found)} templates, {sum(map(len, found.values()))} findings")
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
