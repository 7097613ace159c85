"""A contract for import-linter, which knows circles of folders only: none of modules."""

import graphlib

from importlinter import Contract, ContractCheck, output


class AcyclicModules(Contract):
    """No module imports itself by way of others, in functions neither.

    What `typing.TYPE_CHECKING` guards is no import: nothing runs it.
    """

    def check(self, graph, verbose):
        """See the class."""
        names = {name for name in graph.modules if not graph.is_module_squashed(name)}
        needed = {name: graph.find_modules_directly_imported_by(name) & names for name in names}
        try:
            graphlib.TopologicalSorter(needed).prepare()
        except graphlib.CycleError as error:
            return ContractCheck(kept=False, metadata={"circle": error.args[1]})
        return ContractCheck(kept=True)

    def render_broken_contract(self, check):
        """Says which."""
        # The sorter tells who is imported first.
        output.print_error(" -> ".join(reversed(check.metadata["circle"])))
