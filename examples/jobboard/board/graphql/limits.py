"""What a GraphQL document may ask for, measured before anything runs.

One request can ask for anything, any number of times: a limit on requests is
no limit here. So the document is measured: how deep it nests, how many
aliases and fragments it uses, and about how many rows it may load.
"""

from dataclasses import dataclass, replace

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    VariableNode,
    get_named_type,
    value_from_ast_untyped,
)
from strawberry.extensions import SchemaExtension

MAX_TOKENS = 1000
MAX_DEPTH = 10
MAX_ALIASES = 15
MAX_SPREADS = 50
MAX_COST = 2000
MAX_PAGE = 50
WRAPPERS = {"edges", "node", "pageInfo"}  # objects, but not rows


@dataclass
class Size:
    """How much a part of a document asks for."""

    depth: int = 0
    aliases: int = 0
    spreads: int = 0
    cost: int = 0


class DocumentLimits(SchemaExtension):
    """Refuses a document that is too large, before it is validated.

    Before, because validation itself takes long on a hostile document.
    """

    def on_validate(self):
        context = self.execution_context
        measure = Measure(
            context.schema._schema,
            context.graphql_document,
            context.variables or {},
        )
        try:
            measure.check()
        except GraphQLError as error:
            context.pre_execution_errors = [error]
        yield


class Measure:
    """Measures each fragment once, however often it is spread.

    Walking into it at every spread would take 2**n steps for n fragments
    that each spread the next one twice. Libraries do walk so: such a document
    must not reach them.
    """

    def __init__(self, schema: GraphQLSchema, document, variables):
        self.schema = schema
        self.variables = variables
        self.operations = [
            node
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        ]
        self.fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }

    def check(self):
        """Raise GraphQLError for the first limit that the document breaks."""
        for operation in self.operations:
            self.begin(operation)
            size = self.of(operation, self.schema.query_type)
            for what, value, limit in (
                ("depth", size.depth, MAX_DEPTH),
                ("number of aliases", size.aliases, MAX_ALIASES),
                ("number of fragments", size.spreads, MAX_SPREADS),
                ("cost", size.cost, MAX_COST),
            ):
                if value > limit:
                    raise GraphQLError(
                        f"The {what} is {value}; at most {limit}."
                    )

    def begin(self, operation):
        """Forget what was measured: the next operation has other defaults."""
        self.sizes = {}
        self.values = {
            definition.variable.name.value: value_from_ast_untyped(
                definition.default_value
            )
            for definition in operation.variable_definitions or ()
            if definition.default_value
        } | self.variables

    def of(self, node, parent):
        """Return the size of what a node selects from the parent type."""
        total = Size()
        for child in (
            node.selection_set.selections if node.selection_set else ()
        ):
            size = self.of_selection(child, parent)
            total.depth = max(total.depth, size.depth)
            total.aliases += size.aliases
            total.spreads += size.spreads
            total.cost += size.cost
        return total

    def of_selection(self, node, parent):
        if isinstance(node, FieldNode):
            return self.of_field(node, parent)
        if isinstance(node, FragmentSpreadNode):
            return self.of_fragment(node.name.value)
        condition = node.type_condition
        return self.of(
            node, self.type_named(condition.name.value) if condition else parent
        )

    def of_field(self, node, parent):
        field = getattr(parent, "fields", {}).get(node.name.value)
        inner = self.of(node, get_named_type(field.type) if field else None)
        is_page = field is not None and "first" in field.args
        times = self.page_size(node) if is_page else 1
        loads = bool(node.selection_set) and node.name.value not in WRAPPERS
        return Size(
            depth=inner.depth + (1 if node.selection_set else 0),
            aliases=inner.aliases + (1 if node.alias else 0),
            spreads=inner.spreads,
            cost=times * (inner.cost + loads),
        )

    def of_fragment(self, name):
        if name not in self.sizes:
            # What a cycle finds; the validation that follows refuses it.
            self.sizes[name] = Size()
            if name in self.fragments:
                fragment = self.fragments[name]
                parent = self.type_named(fragment.type_condition.name.value)
                self.sizes[name] = self.of(fragment, parent)
        size = self.sizes[name]
        return replace(size, spreads=size.spreads + 1)

    def type_named(self, name):
        return self.schema.get_type(name)

    def page_size(self, node):
        """Return `first`, which every page must give. Raises GraphQLError.

        The library loads all rows when neither `first` nor `last` is given.
        """
        given = {
            argument.name.value: argument.value
            for argument in node.arguments or ()
        }
        if {"last", "before"} & set(given):
            raise GraphQLError("Page forwards, with first and after.", [node])
        first = given.get("first")
        if isinstance(first, VariableNode):
            first = self.values.get(first.name.value)
        elif isinstance(first, IntValueNode):
            first = value_from_ast_untyped(first)
        if type(first) is not int or not 0 < first <= MAX_PAGE:
            raise GraphQLError(f"Give first, from 1 to {MAX_PAGE}.", [node])
        return first
