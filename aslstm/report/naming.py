"""Takes the tables of a report and gives the same tables with labels and polarities named in the language of a page."""

from dataclasses import replace

from aslstm.data.known_corpora import shown_names
from modeling_aslstm.config_values import POLARITIES

from .tables import ReportTables, Table

_COLUMNS = ("label", "polarity")


def named_in(language: str, tables: ReportTables) -> ReportTables:
    """Return tables with the names of labels and polarities in a language; labels that are not known keep their own names.

    Args:
        language: The language of the page, ``en`` or ``zh``.
        tables: The tables with the labels of the model, which are not changed.
    """
    labels, polarities = shown_names(tables.labels, language), shown_names(POLARITIES, language)
    names = dict(zip(_COLUMNS, (labels, polarities), strict=True))

    def named(table: Table) -> Table:
        kinds = [names.get(column) for column in table.columns]
        rows = [tuple(cell if of is None else of[cell] for of, cell in zip(kinds, row, strict=True)) for row in table.rows]
        return Table(table.columns, rows)

    return replace(
        tables,
        labels=[labels[label] for label in tables.labels],
        tables={name: named(table) for name, table in tables.tables.items()},
        examples={labels[label]: kinds for label, kinds in tables.examples.items()},
    )
