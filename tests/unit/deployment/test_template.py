"""The template in every combination of its parts; what cfn-lint is known not to see is looked at here."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mag7cli.core.errors import UsageError
from mag7cli.deployment import parts, quicksight, roles, template
from mag7cli.tables.schema import PUBLISHED, TABLE, TABLES
from mag7cli.vendors.subscription import plans

PSEUDO = {"AWS::AccountId", "AWS::Region", "AWS::Partition", "AWS::NoValue", "AWS::StackName", "AWS::URLSuffix"}
HERE = {"AWS::Region": "us-east-1"}
_SUB = re.compile(r"\$\{([^!}]+)\}")


@cache
def rendered() -> dict[str, Any]:
    return template.render()


def holds(condition: Any, values: Mapping[str, str]) -> bool:
    """A condition of the template for values of the parameters."""
    if "Condition" in condition:
        return holds(rendered()["Conditions"][condition["Condition"]], values)
    if "Fn::And" in condition:
        return all(holds(one, values) for one in condition["Fn::And"])
    if "Fn::Not" in condition:
        return not holds(condition["Fn::Not"][0], values)
    if "Fn::Or" in condition:
        return any(holds(one, values) for one in condition["Fn::Or"])
    left, right = (values[side["Ref"]] if isinstance(side, dict) else side for side in condition["Fn::Equals"])
    return str(left) == str(right)


def chosen(value: Any, values: Mapping[str, str]) -> Any:
    """A part of the template with every `Fn::If` decided."""
    if isinstance(value, Mapping):
        if "Fn::If" in value:
            name, yes, no = value["Fn::If"]
            return chosen(yes if holds({"Condition": name}, values) else no, values)
        return {key: chosen(inner, values) for key, inner in value.items()}
    return [chosen(inner, values) for inner in value] if isinstance(value, list) else value


def references(value: Any, local: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names that a part of the template refers to."""
    if isinstance(value, Mapping):
        if set(value) == {"Ref"}:
            yield value["Ref"]
        elif set(value) == {"Fn::GetAtt"}:
            yield value["Fn::GetAtt"][0]
        elif set(value) == {"Fn::Sub"}:
            text, names = value["Fn::Sub"] if isinstance(value["Fn::Sub"], list) else (value["Fn::Sub"], {})
            yield from (found.split(".")[0] for found in _SUB.findall(text) if found not in names)
            yield from references(names)
        else:
            for inner in value.values():
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def all_choices() -> Iterator[dict[str, str]]:
    """Parameter values for every combination of parts in which each part has what it needs."""
    known = {part.name: part for part in template.all_parts()}
    for size in range(len(known) + 1):
        for names in combinations(known, size):
            if all(set(known[name].needs) <= set(names) for name in names):
                on = {part.parameter: "on" if name in names else "off" for name, part in known.items()}
                yield {name: str(one.get("Default", "")) for name, one in rendered()["Parameters"].items()} | on | HERE


def test_every_reference_leads_to_something_in_every_combination_of_parts() -> None:
    seen = 0
    for values in all_choices():
        there = {
            name
            for name, resource in rendered()["Resources"].items()
            if holds({"Condition": resource["Condition"]}, values)
        }
        known = there | set(rendered()["Parameters"]) | PSEUDO
        for name in there:
            resource = chosen(rendered()["Resources"][name], values)
            assert set(references(resource)) <= known, name
            assert set(resource.get("DependsOn", ())) <= there, name
        for output in rendered()["Outputs"].values():
            if "Condition" not in output or holds({"Condition": output["Condition"]}, values):
                assert set(references(chosen(output, values))) <= known
        seen += 1
    assert seen > 20


def test_a_part_without_what_it_needs_is_off_and_told() -> None:
    values = {name: str(one.get("Default", "")) for name, one in rendered()["Parameters"].items()}
    values |= {"UseFunctions": "off"}

    assert not holds({"Condition": "WithSchedule"}, values)
    assert rendered()["Rules"]["MachinesNeedsFunctions"]["Assertions"][0]["AssertDescription"]


def test_the_cheap_parts_are_the_default() -> None:
    on = [part.name for part in template.all_parts() if part.is_default]

    assert on == ["bucket", "functions", "machines", "schedule", "catalog", "athena"]


def test_the_collector_alone_knows_the_series_beside_the_index_and_a_line_of_the_index_is_none() -> None:
    resources = rendered()["Resources"].items()
    functions = {name: one["Properties"] for name, one in resources if one["Type"] == "AWS::Lambda::Function"}

    know = [name for name, one in functions.items() if "MAG7_BENCHMARK" in str(one.get("Environment"))]
    assert know == ["CollectFunction"]
    assert template.choose(values={"Benchmarks": "IVV,RSP"}).values == {"Benchmarks": "IVV,RSP"}
    with pytest.raises(UsageError, match="AAPL is a line of the index"):
        template.choose(values={"Benchmarks": "IVV,AAPL"})


def test_no_account_and_no_key_is_in_the_template() -> None:
    text = parts.dump(rendered())

    assert not re.search(r"\b\d{12}\b", text)
    assert "POLYGON_API_KEY" not in text


def test_every_parameter_has_a_default_and_a_description() -> None:
    for name, parameter in rendered()["Parameters"].items():
        assert "Default" in parameter, name
        assert parameter["Description"].endswith("."), name


def test_the_yaml_is_read_back_as_what_was_rendered() -> None:
    import yaml

    assert yaml.safe_load(parts.dump(rendered())) == json.loads(json.dumps(rendered()))


def test_the_tables_are_the_declared_ones_in_both_databases() -> None:
    inputs = [
        resource["Properties"]["TableInput"]["Name"]
        for resource in rendered()["Resources"].values()
        if resource["Type"] == "AWS::Glue::Table"
    ]

    assert sorted(inputs) == sorted(table.name for table in (*PUBLISHED, *TABLES))


# What cfn-lint does not see


@pytest.mark.parametrize("name", ["History", "Recovery"])
def test_every_state_leads_to_another_and_is_reached(name: str) -> None:
    machine = template.definition(name)

    reached, todo = set(), [machine["StartAt"]]
    while todo:
        state = todo.pop()
        if state not in reached:
            reached.add(state)
            todo.extend(following(machine["States"][state]))
    assert reached == machine["States"].keys()


def following(state: Mapping[str, Any]) -> Iterator[str]:
    yield from (choice["Next"] for choice in state.get("Choices", ()))
    yield from (state[name] for name in ("Next", "Default") if name in state)
    yield from (caught["Next"] for caught in state.get("Catch", ()))


@pytest.mark.parametrize("name", ["History", "Recovery"])
def test_every_retry_is_bounded_and_spelt_as_the_language_wants(name: str) -> None:
    for state in states_of(template.definition(name)["States"]):
        for retry in state.get("Retry", ()):
            assert retry.get("JitterStrategy", "NONE") in ("FULL", "NONE")
            assert 0 < retry["MaxAttempts"] <= 10
            assert retry.get("MaxDelaySeconds", 901) > retry["IntervalSeconds"]


def states_of(states: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for state in states.values():
        yield state
        yield from states_of(state.get("ItemProcessor", {}).get("States", {}))


def test_every_task_that_holds_the_lake_lets_go_of_it_when_it_fails() -> None:
    states = template.definition("History")["States"]
    held = states.keys() - {
        "Dates",
        "Take",
        "LetGo",
        "SurveyAfterwards",
        "Notify",
        "LetGoAfterFailure",
        "NotifyFailure",
    }

    for name in held:
        if states[name]["Type"] in ("Task", "Map"):
            assert [caught["Next"] for caught in states[name]["Catch"]] == ["LetGoAfterFailure"], name


def test_errors_that_are_waited_for_are_classes_that_there_are() -> None:
    from mag7cli.core import errors

    for state in states_of(template.definition("History")["States"]):
        for retry in state.get("Retry", ()):
            own = [name for name in retry["ErrorEquals"] if "." not in name]
            assert all(issubclass(getattr(errors, name), errors.Mag7Error) for name in own)


def test_schedules_are_six_fields_in_a_zone_that_there_is() -> None:
    for name in ("EveningSchedule", "RecoverySchedule"):
        properties = rendered()["Resources"][name]["Properties"]
        ZoneInfo(properties["ScheduleExpressionTimezone"])
    expressions = [row["Evening"] for row in rendered()["Mappings"]["Plans"].values()]
    expressions.append(rendered()["Resources"]["RecoverySchedule"]["Properties"]["ScheduleExpression"])
    for expression in expressions:
        fields = re.fullmatch(r"cron\((.+)\)", expression)[1].split()  # type: ignore[index]
        assert len(fields) == 6
        assert (fields[2] == "?") != (fields[4] == "?")
        assert 0 <= int(fields[0]) < 60
        assert 0 <= int(fields[1]) < 24


def test_the_evening_is_when_the_plan_serves_the_session() -> None:
    assert template.evening(plans()["basic"]) == "cron(5 0 ? * TUE-SAT *)"
    assert template.evening(plans()["developer"]) == "cron(5 21 ? * MON-FRI *)"


# The dashboard


def test_the_dashboard_has_the_eight_visuals_and_the_two_calculated_fields_of_the_walk_through() -> None:
    definition = quicksight.definition()

    (sheet,) = definition["Sheets"]
    kinds = [kind for visual in sheet["Visuals"] for kind in visual]
    assert len(kinds) == 8
    assert kinds.count("PieChartVisual") == 2
    fields = {field["Name"]: field["Expression"] for field in definition["CalculatedFields"]}
    assert fields["rest_of_index"] == "{sp500_total_market_cap} - {total_mag7_market_cap}"
    assert fields["daily_change"] == "{close_price} - {open_price}"


def test_every_field_of_the_dashboard_is_a_column_or_a_calculated_field() -> None:
    definition = quicksight.definition()
    calculated = {(field["DataSetIdentifier"], field["Name"]) for field in definition["CalculatedFields"]}
    known = calculated | {(name, column.name) for name in quicksight.DATA_SETS for column in TABLE[name].columns}

    used = {(one["DataSetIdentifier"], one["ColumnName"]) for one in nested(definition, "ColumnName")}
    assert used <= known
    in_expressions = {
        (field["DataSetIdentifier"], name)
        for field in definition["CalculatedFields"]
        for name in re.findall(r"\{(\w+)\}", field["Expression"])
    }
    assert in_expressions <= known


def test_ids_of_the_dashboard_are_unique_and_filters_name_visuals_that_there_are() -> None:
    definition = quicksight.definition()

    for name in ("VisualId", "FieldId", "FilterId", "FilterGroupId", "FilterControlId"):
        ids = [one[name] for one in nested(definition, name)]
        assert len(ids) == len(set(ids)), name
    scoped = {visual for one in nested(definition, "VisualIds") for visual in one["VisualIds"]}
    assert scoped <= {one["VisualId"] for one in nested(definition, "VisualId")}
    sources = {one["SourceFilterId"] for one in nested(definition, "SourceFilterId")}
    assert sources <= {one["FilterId"] for one in nested(definition, "FilterId")}


def test_the_trading_date_is_a_date_in_every_data_set() -> None:
    for resource in rendered()["Resources"].values():
        if resource["Type"] == "AWS::QuickSight::DataSet":
            (columns,) = [one["InputColumns"] for one in nested(resource, "InputColumns")]
            assert columns[0] == {"Name": "trading_date", "Type": "DATETIME"}


def nested(value: Any, key: str) -> Iterator[Mapping[str, Any]]:
    """Every mapping in a value that has the key."""
    if isinstance(value, Mapping):
        if key in value:
            yield value
        for inner in value.values():
            yield from nested(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from nested(inner, key)


def test_a_part_that_the_region_does_not_offer_is_refused_before_anything_is_uploaded() -> None:
    choice = template.choose(with_parts=["quicksight"])

    template.check_region(choice, "us-east-1")
    with pytest.raises(UsageError, match="us-west-1 does not offer quicksight"):
        template.check_region(choice, "us-west-1")


# Rights


def policies_of(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for policy in resource["Properties"].get("Policies", ()):
        yield from policy["PolicyDocument"]["Statement"]


def test_every_principal_has_a_role_of_its_own() -> None:
    resources = rendered()["Resources"]
    used = [
        json.dumps(resource["Properties"].get("Role") or resource["Properties"].get("RoleArn"))
        for resource in resources.values()
        if resource["Type"] in ("AWS::Lambda::Function", "AWS::StepFunctions::StateMachine")
    ]

    assert len(used) == len(set(used)) == 12
    assert {f"{name}Role" for name in roles.FUNCTIONS} <= resources.keys()


def test_no_action_is_a_wildcard_and_resources_are_only_where_a_reason_is_given() -> None:
    wild = {
        (name, action)
        for name, resource in rendered()["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
        for statement in policies_of(resource)
        for action in statement["Action"]
        if statement["Resource"] == "*" or action.endswith("*")
    }

    assert {action for _, action in wild} <= roles.WILDCARDS.keys()


def test_every_wildcard_has_its_reason_and_is_used() -> None:
    text = json.dumps(rendered())

    assert all(f'"{action}"' in text and len(reason) > 20 for action, reason in roles.WILDCARDS.items())


def test_alarms_and_budget_are_spelt_as_the_services_want() -> None:
    resources = rendered()["Resources"]
    alarms = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::CloudWatch::Alarm"]

    assert len(alarms) == 5
    # Source: CloudWatch API reference, PutMetricAlarm: a period times its evaluations is a week at most.
    assert all(alarm["Period"] * alarm["EvaluationPeriods"] <= 7 * 86_400 for alarm in alarms)
    assert all(alarm["Period"] in (10, 30) or alarm["Period"] % 60 == 0 for alarm in alarms)
    assert resources["Budget"]["Properties"]["Budget"]["TimeUnit"] in ("DAILY", "MONTHLY", "QUARTERLY", "ANNUALLY")


def test_the_collector_alone_reads_the_key() -> None:
    readers = [
        name
        for name, resource in rendered()["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role" and "secretsmanager:GetSecretValue" in json.dumps(resource)
    ]

    assert readers == ["CollectRole"]


# Choosing


def test_a_part_brings_what_it_needs() -> None:
    choice = template.choose(with_parts=["redshift"])

    assert {"redshift", "bucket", "catalog"} <= choice.on
    assert template.render(choice)["Parameters"]["UseRedshift"]["Default"] == "on"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"with_parts": ["redshit"]}, "no part 'redshit'"),
        ({"without": ["functions"]}, "needs functions"),
        ({"values": {"Paln": "basic"}}, "no parameter 'Paln'"),
        ({"values": {"Plan": "free"}}, "Plan=free: use one of basic"),
    ],
)
def test_what_cannot_be_chosen_is_told(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        template.choose(**arguments)


def test_a_value_becomes_the_default_of_its_parameter() -> None:
    choice = template.choose(values={"Plan": "developer"})

    assert template.render(choice)["Parameters"]["Plan"]["Default"] == "developer"
