"""What the OpenAPI document says beyond what the views say."""

from drf_spectacular.openapi import AutoSchema
from rest_framework.permissions import SAFE_METHODS

from board.api.permissions import IsCompanyStaffOrReadOnly

PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


class Schema(AutoSchema):
    """Describes an operation; it knows our permissions as well."""

    def get_auth(self):
        """Return the ways to sign in; {} among them means: or not at all.

        The generator knows the classes of REST framework and no others.
        """
        ways = super().get_auth()
        asked = self.view.get_permissions()
        ours = any(type(one) is IsCompanyStaffOrReadOnly for one in asked)
        return [*ways, {}] if ours and self.method in SAFE_METHODS else ways


def document_problems(result, generator, request, public):
    """Add the one error shape to every operation. Returns the document."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    reference = {"$ref": "#/components/schemas/Problem"}
    response = {
        "description": "Any error",
        "content": {"application/problem+json": {"schema": reference}},
    }
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["default"] = response
    return result


def summarise(result, generator, request, public):
    """Show the first line of each description beside the folded operation."""
    for path in result["paths"].values():
        for operation in path.values():
            text = operation.get("description", "")
            operation["summary"] = text.partition("\n")[0]
    return result


def say_what_is_sent(result, generator, request, public):
    """Promise every field of an answer; admit no unknown field in a body.

    All fields of an answer are always sent; the generator asks whether a
    client must send them. Our serializers refuse what they do not know
    (StrictSerializer); it supposes that they ignore it. What goes in has
    schemas of its own, whose names end so (COMPONENT_SPLIT_REQUEST).
    """
    for name, schema in result["components"]["schemas"].items():
        if name.endswith("Request"):
            schema["additionalProperties"] = False
        elif "properties" in schema:
            schema["required"] = sorted(schema["properties"])
    return result
