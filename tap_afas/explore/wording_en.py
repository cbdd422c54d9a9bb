"""What is said of findings, in English. `{…}` are the facts of a finding; `wording.py` puts them in."""

from __future__ import annotations

_OPEN = "Open the GetConnector in AFAS (General > Output > Management > GetConnector)"
_AUDITOR = (
    "Look where AFAS shows the key: the developer report of the AppConnector Auditor lists the unique indexes of the"
    " connector's main table (PERF-46), the first of them first."
)
_STAMP_FIELD = (
    "On the tab Fields, add “Changed on” (Gewijzigd op) of the main table; where there is none, of the table that a"
    " change is made in."
)

AND, OR_NONE, EMPTY = "and", "none", "empty"
THOUSANDS, POINT = ",", "."
VERBS = {"tells": ("tells", "tell"), "holds": ("holds", "hold")}
AS_CONFIGURED = " As configured, no key is known and the stream is read whole by every run."

ALL_ROWS = "in all {rows} rows"
SOME_ROWS = "in {rows} rows; there are more"
AMONG = "among the {rows} rows that were read"
VARYING = " Such rows differ in {varying}."
ADDED = " {added} belongs to it as well, though today it isn't needed to tell rows apart."

ANEW = (
    "If {stream} was loaded before: drop its table in the target, take `{stream}` out of `bookmarks` in the state file,"
    " and run again. A table keeps the key that it was made with."
)
ANEW_MELTANO = (
    "If {stream} was loaded before: drop its table in the target, and start this stream anew: `{command}`. A table"
    " keeps the key that it was made with."
)

NATURES = {
    "guid": "it is a GUID, which repeats nowhere",
    "number": "it is called a number or a code of its own",
    "line": "it holds a line number",
    "combination": "only together do they tell rows apart",
    "code": "it is the code of something",
    "attribute": "it is a mark, such as a country, of which each has one row",
}

WHY_NONE = {
    "no candidates": "no field is called a number, a code or an id",
    "too few rows": "there are too few rows to tell by",
    "equal rows": "some rows are equal in all fields",
    "not unique": "no numbers and codes that are filled in every row tell all rows apart",
    "chance": "{near} tell them apart today, but that may be chance",
    "outer join": "{near} tells them apart today, but some rows lack a line number, so the connector has a many side",
}

DOUBTS = {
    "few rows": "there are too few rows to tell",
    "many side": "the connector seems to be about {things}, which the key doesn't name: one row each today may be more"
    " tomorrow",
    "prices": "prices come in rounds, and no day from which they count is in the key",
    "again": "the same may meet again on another day, and {fields} is not in the key",
    "from a day": "{fields} tells from when a row counts and is not in the key",
    "number of another": "suppliers give out these numbers, and {fields} is not in the key",
    "code of another": "it is the code of {things}, and the connector isn't named after that: one row each today may be"
    " more tomorrow",
    "file": "one file may hang on several rows, and {fields} is not in the key",
}

READ_BY = {
    True: "The stream is read by what changed on {chosen}, and by what changed on {further} as well.",
    False: "With a key, the stream is read by what changed on {chosen}, and by what changed on {further} as well.",
}

DUMMIES = {True: "AFAS fills it with a constant", False: "it is the same in all rows"}

SORTS = {
    "bsn": "citizen service number (BSN)",
    "iban": "bank account (IBAN)",
    "birth_date": "date of birth",
    "mail": "private e-mail address",
    "phone": "private telephone number",
    "salary": "salary",
}

COST = (
    "A page of {page_rows} rows takes {seconds} s. A first load: {backfill} requests, {backfill_time}; a run each hour:"
    " {hourly} requests, {hourly_time}, of AFAS' time."
)
COST_AT_LEAST = " Of at least {rows} rows."

KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date without a time",
    "date-time": "a date and time",
    "time": "a time of day",
}

# Code -> what is the matter, and what to do: a step each.
TEXTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "key_repeats": (
        "The key {fields} repeats ({among}): several rows share it{values}. A target keeps one of them and loses"
        " the others.{varying_told}",
        (
            _AUDITOR,
            _OPEN + ", and add those fields; where a join repeats rows, also the id of its many side.",
            "Set `primary_keys` of this connector to them; to [] where there is no key.",
            "{anew}",
        ),
    ),
    "key_empty": (
        "The key {key} is empty in {fields} ({among}){values}. Rows without a key can't be told apart.",
        (
            _AUDITOR,
            "Take {fields} out of `primary_keys` of this connector if the rest tells rows apart; else add a field that"
            " every row has, or set `primary_keys` to [].",
            "{anew}",
        ),
    ),
    "key_unknown": (
        "No key is known, and none was found ({rows_told}): {why}. The stream is read whole by every run.",
        (
            _AUDITOR,
            _OPEN + ", and add those fields: a number or an id of each row, with a line number where there are lines.",
            "Run this check again, or set `primary_keys` of this connector; [] says that there is no key.",
        ),
    ),
    "key_found": (
        "{fields} {tells} all rows apart ({rows_told}); {nature}.{added_told}{as_configured}",
        (
            "Check that it can't repeat: the developer report of the AppConnector Auditor in AFAS lists the unique"
            " indexes of the main table (PERF-46).",
            "Set it: {block}",
            "{anew}",
        ),
    ),
    "key_doubtful": (
        "{fields} {tells} all rows apart today ({rows_told}), but {doubts_told}. Where it repeats one day, a target"
        " overwrites rows without a word.",
        (
            _AUDITOR,
            _OPEN + ", and add what is missing: the id, the number or the day of what each row is about.",
            "Run this check again. Only if somebody who knows the data says that it can't repeat, set it: {block}",
            "{anew}",
        ),
    ),
    "join_repeats": (
        "Rows repeat: several share {key}{values}. The repetition comes from {fields}.",
        (
            _OPEN + ", and look which alias has a 1-to-n relation (the AppConnector Auditor: PERF-37).",
            "Add the id or line number of that many side, and of the main table; or take the alias out.",
        ),
    ),
    "rows_equal": (
        "Some rows are equal in all fields ({rows_told}): nothing tells them apart.",
        (
            _OPEN + ", and add an id or a line number.",
            "Where rows are summed up (verdichten), add the id, or what was meant to be summed up is told twice.",
        ),
    ),
    "stamp_missing": (
        "No field tells when a row was last changed: the stream is read whole by every run.",
        (
            _OPEN + ".",
            _STAMP_FIELD,
            "Where a field tells it under another name, set `replication_key` of this connector.{days_told}",
        ),
    ),
    "stamp_ambiguous": (
        "{fields} could each tell when a row was last changed: joined tables have one each. {read_by}{values}",
        (
            "Nothing, where that is what is wanted. To choose, set `replication_key` of this connector to the one of"
            " the main table, and `also_changed_on` to those whose changes are wanted as well (`[]`: none; what changes"
            " only in the others then comes with the next full load).",
            _OPEN + ", and take the others out, if nobody needs them.",
        ),
    ),
    "stamp_empty": (
        "{fields} is empty in {empties} of {rows} rows. Those are read and sent again by every run.",
        (
            "Look in AFAS why it is empty: often rows were imported, or the field is of a joined table.",
            _OPEN + ", and take “Changed on” of the main table in its place.",
        ),
    ),
    "stamp_future": (
        "{fields} lies in the future in {future} of {rows} rows{values}. Those are read and sent again by every run.",
        ("Correct those rows in AFAS: as a rule a year was mistyped.",),
    ),
    "stamp_midnight": (
        "{fields} has no time of day: it is always midnight. All rows of a day are read again until the next day.",
        (
            "See in AFAS whether there is a “Changed on” with a time.",
            _OPEN + ", and take that one in its place. Without one, nothing is lost.",
        ),
    ),
    "stamp_dummy": (
        "{fields} looks like a time of change and is none{values}: {dummy_told}.",
        (
            "Don't use it: set `replication_key` of this connector to null, or to a field that does tell it.",
            _OPEN + ", and take “Changed on” of the main table in its place.",
        ),
    ),
    "stamp_stands_still": (
        "{fields} stands still{values} while rows were made later, by {created}: nothing sets it any more. What is new"
        " would never be read.",
        (
            "Don't use it: set `replication_key` of this connector to null, or to a field that moves with each change.",
            _OPEN + ", and take “Changed on” of the main table in its place.",
        ),
    ),
    "replaced_field": (
        "{fields} {holds} nothing but “(replaced)”: AFAS no longer has it.",
        (_OPEN + ", take the field out, and add the one that took its place.",),
    ),
    "name_too_long": (
        "{named} has over 63 characters. PostgreSQL cuts it off, and two names may become one.",
        (_OPEN + ", and give it a shorter name.", "Run discovery again."),
    ),
    "names_collide": (
        "{fields} differ by case only. DuckDB, Snowflake and BigQuery take them for one; PostgreSQL keeps them apart.",
        (_OPEN + ", and rename one; or leave one out of the selection.",),
    ),
    "unfit_value": (
        "{count} values of {fields} are not {kind_told}{values}. The stream fails on the first of them.",
        (
            "Correct the values in AFAS, if they are wrong.",
            "If they are right: run discovery again with {types}",
        ),
    ),
    "personal_data": (
        "Likely personal data: {sorts_told}.",
        (
            "If nobody needs it, take it out of the GetConnector in AFAS, or of the selection.",
            "Else hash or drop it: {maps}",
        ),
    ),
    "not_readable": ("It could not be read: {sentence}", ("Do what the sentence says, and run this check again.",)),
    "slow": (
        "A page of {page_rows} rows takes {seconds} seconds; AFAS advises under a second a call.",
        (
            _OPEN + ": fewer joins and calculated fields make it lighter, and so does a filter on an index.",
            "Set `page_size` of this connector to {fitting} or less.",
        ),
    ),
    "large_values": (
        "{fields} holds large values: {average_kb} KB on average, {largest_kb} KB at most, {total_mb} MB in what was"
        " read.",
        ("If nobody needs it, take it out of the selection: pages can then hold more rows.",),
    ),
}
