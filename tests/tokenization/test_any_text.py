"""Any text at all: what fuzzing checks (``fuzz/invariants.py``), on examples of hypothesis and on what fuzzing has found."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslstm.words.vocabulary import build_tokenizer, build_vocabulary
from tests.fuzz.fuzzed_posts import EMOJI, TRAPS
from tests.fuzz.invariants import (
    URL_ENDS,
    URLS,
    check_batch,
    check_normalization,
    check_post,
    check_spaces_beside_urls,
    check_spellings,
    check_splitting,
    check_view,
)
from tests.support.commands import TEXTS
from tokenization import ASLSTMTokenizer
from tokenization.text_normalization import SWITCHES, TextNormalizer

PARTS = st.sampled_from([*TRAPS, *TEXTS]) | st.sampled_from(EMOJI) | st.text(st.characters(), max_size=6)
ANY_TEXT = st.lists(PARTS, max_size=10).map("".join)
CHOICES = st.fixed_dictionaries(dict.fromkeys(SWITCHES, st.booleans()))
# Posts that once broke something.
FOUND = [
    "\ue017\u0301\u0327[泪]",  # marks that normalisation puts in another order kept their old places
]


@pytest.fixture(scope="module")
def reloaded(tokenizer: ASLSTMTokenizer, tmp_path_factory: pytest.TempPathFactory) -> ASLSTMTokenizer:
    """The tokenizer of all tests, saved and loaded."""
    folder = tmp_path_factory.mktemp("saved")
    tokenizer.save_pretrained(folder)
    return ASLSTMTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module", params=["everything changed, jieba", "nothing changed, rjieba without a guess"])
def setting(request: pytest.FixtureRequest, tokenizer: ASLSTMTokenizer) -> ASLSTMTokenizer:
    if "rjieba" not in request.param:
        return tokenizer
    # The vocabulary has pieces for the names of codes that the posts of the tests never show.
    vocabulary = build_vocabulary([*TEXTS, "泪流满面"])
    return build_tokenizer(vocabulary, use_hmm=False, segmenter="rjieba", **dict.fromkeys(SWITCHES, False))


@settings(max_examples=400)
@given(text=ANY_TEXT)
def test_pieces_make_up_the_text_and_emoji_are_whole(text: str) -> None:
    check_splitting(text)


@settings(max_examples=250)
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=2), switches=CHOICES)
def test_normalised_text_and_its_offsets_agree_under_any_switches(texts: list[str], switches: dict[str, bool]) -> None:
    check_normalization(TextNormalizer(**switches), texts)


@settings(max_examples=150)
@given(text=ANY_TEXT)
def test_ids_emoji_offsets_and_decoding_of_any_text(setting: ASLSTMTokenizer, text: str) -> None:
    check_post(setting, text)


@settings(max_examples=80)
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=4), max_length=st.integers(1, 20))
def test_a_batch_and_a_loaded_tokenizer_give_the_ids_of_each_post(
    tokenizer: ASLSTMTokenizer, reloaded: ASLSTMTokenizer, texts: list[str], max_length: int
) -> None:
    check_batch(tokenizer, reloaded, texts, max_length)


@settings(max_examples=100)
@given(text=ANY_TEXT, max_length=st.none() | st.integers(1, 20))
def test_the_pieces_of_a_view_are_the_text(setting: ASLSTMTokenizer, text: str, max_length: int | None) -> None:
    check_view(setting, text, max_length)


@settings(max_examples=80)
@given(text=ANY_TEXT)
def test_an_emoji_bare_and_qualified_is_one_token(tokenizer: ASLSTMTokenizer, text: str) -> None:
    check_spellings(tokenizer, text)


@settings(max_examples=150)
@given(before=ANY_TEXT, url=st.sampled_from(URLS), end=st.sampled_from(URL_ENDS), after=ANY_TEXT)
def test_ids_do_not_depend_on_spaces_beside_urls(
    tokenizer: ASLSTMTokenizer, before: str, url: str, end: str, after: str
) -> None:
    check_spaces_beside_urls(tokenizer, before, url, end + after if end else "")


@pytest.mark.parametrize("text", FOUND, ids=ascii)
def test_what_fuzzing_found_stays_mended(setting: ASLSTMTokenizer, text: str) -> None:
    check_splitting(text)
    check_normalization(TextNormalizer(), [text])
    check_post(setting, text)
    check_batch(setting, setting, [text, ""], 3)
