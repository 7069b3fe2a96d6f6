"""Takes the tables of a report and gives the same tables with labels and polarities named in the language of a page."""

from dataclasses import replace

from aslstm.data.known_corpora import shown_names
from modeling_aslstm.config_values import POLARITIES

from .tables import ReportTables, Table
from .texts import LANGUAGES

_LABEL_COLUMNS = ("label", "words_label", "emoji_label")


def names_of_labels(tables: ReportTables, language: str) -> dict[str, str]:
    """Return the name of each label of a report in a language; labels that are not known keep their own names."""
    return shown_names(tables.labels, language)


def named_in(language: str, tables: ReportTables) -> ReportTables:
    """Return tables with the names of labels and polarities in a language; only names in cells and lists change.

    Args:
        language: The language of the page, ``en`` or ``zh``.
        tables: The tables with the labels of the model, which are not changed.
    """
    labels, polarities = names_of_labels(tables, language), shown_names(POLARITIES, language)
    # A peak of all posts together has no label, and a side of a post may have a label that no whole post has.
    of_label = shown_names(["", *tables.labels], language) | {"": LANGUAGES[language].all_posts}
    names = {"polarity": polarities, **dict.fromkeys(_LABEL_COLUMNS, of_label)}

    def named(table: Table) -> Table:
        kinds = [names.get(column, {}) for column in table.columns]
        rows = [tuple(of.get(cell, cell) for of, cell in zip(kinds, row, strict=True)) for row in table.rows]
        return Table(table.columns, rows)

    return replace(
        tables,
        labels=[labels[label] for label in tables.labels],
        tables={name: named(table) for name, table in tables.tables.items()},
        examples={labels[label]: kinds for label, kinds in tables.examples.items()},
    )
