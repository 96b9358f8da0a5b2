"""GraphQL: sent to the job board, which validates it against the schema and executes it.

`# as staff@example.com` on a line of its own signs somebody in, `# variables: {"first": 2}` gives the variables.
"""

import json
import re
from collections.abc import Iterator

from tools.listings.fences import Fence
from tools.portable.problem import Problem
from tools.verify.board import Board

SIGNED_IN = re.compile(r"^\s*# as (\S+@\S+)\s*$", re.M)
VARIABLES = re.compile(r"^\s*# variables: (.*)$", re.M)
CORRECT = "correct the document; the schema is on /graphql/ of 'make jobboard'"


def verify(fence: Fence, board: Board) -> Iterator[Problem]:
    """Report every error that a document gets; each operation of it is executed."""
    from django.test import Client
    from graphql import GraphQLError, OperationDefinitionNode, parse

    given = VARIABLES.search(fence.code)
    try:
        document = parse(fence.code)
        variables = json.loads(given[1]) if given else {}
    except GraphQLError as error:
        yield fence.problem(error.locations[0].line if error.locations else 1, error.message, CORRECT)
        return
    except json.JSONDecodeError as error:
        line = fence.code[: given.start(1)].count("\n") + 1
        yield fence.problem(line, f"the variables are not JSON: {error.msg}", "write them on this line")
        return
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if not operations:
        yield fence.problem(1, "there is no operation to execute", "list the file that defines these types")
    for operation in operations:
        name = operation.name.value if operation.name else None
        with board.block():
            headers = {}
            if who := SIGNED_IN.search(fence.code):
                try:
                    headers["Authorization"] = f"Bearer {board.token('access', who[1])}"
                except LookupError as error:
                    line = fence.code[: who.start(1)].count("\n") + 1
                    yield fence.problem(line, str(error), "name one of them")
                    return
            body = {"query": fence.code, "operationName": name, "variables": variables}
            client = Client(enforce_csrf_checks=True, raise_request_exception=False)
            answer = client.post("/graphql/", body, content_type="application/json", headers=headers)
        yield from _errors(fence, answer)


def _errors(fence: Fence, answer) -> Iterator[Problem]:
    try:
        errors = answer.json().get("errors", [])
    except ValueError:
        errors = [{"message": f"the answer is {answer.status_code} and not JSON"}]
    for error in errors:
        places = error.get("locations") or [{"line": 1}]
        yield fence.problem(places[0]["line"], error["message"], CORRECT)
