"""What exists, in place of most that schemathesis makes up: otherwise nearly everything ends as "not found".

SKEIN_FUZZ_KNOWN is a file with a list of {at, path?, query?, headers?, body?}: for operations whose path matches `at`
(with `*`), values of parameters by name, and objects whose fields go into bodies that are objects; null removes a field,
"current" is the version that the last conflict named.
"""

import json
import os
import random
from fnmatch import fnmatchcase

import hypothesis
import schemathesis

# Schemathesis steers what is made up towards success, and the book-keeping of that is half of all its work. What is known
# leads to success more often, and what is not steered is more varied.
hypothesis.target = lambda *observation, **options: None

with open(os.environ["SKEIN_FUZZ_KNOWN"], encoding="utf-8") as file:
    KNOWN = json.load(file)

chance = random.Random(4711)


def pick(values):
    """One of them, or None a quarter of the time."""
    return None if chance.randrange(4) == 0 else chance.choice(values)


def known(made_up, values):
    """Only parameters that are sent anyway: what is missing stays missing."""
    result = dict(made_up or {})
    for name in sorted(values.keys() & result.keys()):
        chosen = pick(values[name])
        if chosen is not None:
            result[name] = chosen
    return result


@schemathesis.hook
def before_call(ctx, case, kwargs):
    for one in KNOWN:
        if not fnmatchcase(case.operation.path, one["at"]):
            continue
        # In a sequence of calls the ids are those of earlier answers.
        if "path" in one and case.meta.phase.name != "stateful":
            case.path_parameters = known(case.path_parameters, one["path"])
        if "query" in one:
            case.query = known(case.query, one["query"])
        if "headers" in one:
            case.headers.update(known(case.headers, one["headers"]))
        if "body" in one and isinstance(case.body, dict):
            fields = pick(one["body"])
            if fields is not None:
                merged = {name: current.get(name, 0) if value == "current" else value for name, value in fields.items()}
                case.body = {name: value for name, value in {**case.body, **merged}.items() if value is not None}


current = {}


@schemathesis.hook
def after_call(ctx, case, response):
    if response.status_code == 409:
        current["if_version"] = json.loads(response.content).get("current_version", 0)
