"""What the OpenAPI document says beyond what the views say."""

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
