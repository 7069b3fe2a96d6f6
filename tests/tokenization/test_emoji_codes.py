"""Codes of QQ, WeChat, bilibili and Slack, and faces of characters: what each becomes, what is none, and what it costs."""

import re
import time

import emoji
import pytest

from aslstm.words.vocabulary import build_tokenizer, build_vocabulary
from tests.support.commands import TEXTS
from tokenization import ASLSTMTokenizer
from tokenization.emoji_splitting import fold_emoji, is_weibo_code_name, split_emoji
from tokenization.kaomoji import FACE, FACE_SIGN, read_face
from tokenization.text_normalization import TextNormalizer

CODES = [
    ("好累/流泪", "好累[流泪]"),
    ("好累/流泪/流泪", "好累[流泪][流泪]"),
    ("/汗/晕", "[汗][晕]"),
    ("好累 /难过", "好累 [难过]"),
    ("好累。/难过，走了", "好累。[难过],走了"),
    ("/龇牙//@小明:好", "[呲牙]//好"),
    ("笑死[Facepalm]", "笑死[捂脸]"),
    ("笑死[FACEPALM]［facepalm］", "笑死[捂脸][捂脸]"),
    ("[KeepFighting][BrokenHeart][Yeah!]", "[加油加油][心碎][耶]"),
    ("[doge][旺柴]", "[狗头][狗头]"),
    ("[good][ok][haha]", "[赞][好的][哈哈]"),
    ("[bed凌乱][lt羞][BOBO哈哈]", "[凌乱][羞][哈哈]"),
    ("[tv_大哭][小电视_笑]", "[大哭][笑]"),
    ("[星星眼][捂脸]", "[星星眼][捂脸]"),
    ("好:joy:的", "好😂的"),
    ("好:JOY::+1:", "好😂👍"),
    ("好:100:", "好:100:"),
    (":flag_for_China: :cn:", "🇨🇳 🇨🇳"),
]
NO_CODES = [
    "和/或", "开心/难过", "微笑/委屈/无奈", "男/女", "强/弱", "a/流泪", "http://t.cn/流泪", "5/流泪", "./流泪",
    "//流泪", "/微笑着", "/难过的", "/加油站", "/流泪/开心", "/home/汗", "2024/汗", "[bracket]", "[moc转发]",
    "[泪_流]", "[附件_说明]", "[a]", "10:30:20", "比分:100:98", "a:joy:", ":joy", ":nothing:", "::", ":joy :", "http://a:joy:",
]  # fmt: skip
FACES = {
    "泪": "(╥﹏╥) T_T T__T T^T T.T ToT TAT QAQ QwQ qaq Q_Q ;_; (ㄒoㄒ) ╥﹏╥ (ಥ_ಥ) T﹏T",
    "嘻嘻": "(´▽`) ^_^ ^__^ (*^__^*) (^o^) \\(^o^)/ ＼(^o^)／ O(∩_∩)O \\(≧▽≦)/ (￣▽￣) (*¯︶¯*) ♪(´▽｀) (•̀ᴗ•́)و (o^^o) (=^.^=)",
    "可爱": "(｡･ω･｡) (^ω^) (=^ω^=) (>^ω^<) (๑•̀ω•́๑) =w= >w< OwO (ಡωಡ) ↖(^ω^)↗ (・ω・) (＾ω＾)",
    "跪了": "orz Orz ORZ OTZ OTL 囧rz",
    "抓狂": ">_< (>_<) >.< ＞_＜",
    "委屈": ">﹏< (>﹏<) ⊙﹏⊙ (╯﹏╰)",
    "无语": "=_= -_- -_-||| (-_-) (눈_눈) =.= (−_−#) (¯_¯) ＝_＝",
    "无奈": "╮(╯▽╰)╭ ╮(╯_╰)╭ ╮（╯＿╰）╭ ╯_╰",
    "吃惊": "(⊙o⊙) O_O o_O (°△°|||) (ﾟДﾟ) Σ(っ°Д°;)っ (；´д｀) ⊙_⊙",
    "怒": "(╯°□°）╯︵┻━┻ (╯‵□′)╯︵┻━┻ (*｀へ´*) =皿= （｡ò∀ó｡）",
    "亲亲": "(づ￣3￣)づ ╭(╯ε╰)╮ (╯3╰) (^з^) ♪(´ε｀)",
    "馋嘴": "(¯﹃¯) （¯﹃¯）",
    "哼": "╭(╯^╰)╮ (︶︿︶) (￣︿￣)",
    "囧": "o(╯□╰)o (╯□╰)",
    "累": "_(:з」∠)_ (:3」∠)_",
    "鄙视": "(¬_¬) ¬_¬ (￢_￢)",
    "斜眼": "→_→ ←_←",
    "晕": "@_@ (@_@) ×_× +_+",
    "星星眼": "(☆_☆) (✪▽✪)",
}
NO_FACES = [
    "state", "T_T_model", "snake_case", "a_T_T", "@T_T", "@orz", "http://t.cn/T_T", "http://t.cn/orz", "TATA", "orzx", "QAQS",
    "emo", "XT_T", "==_==", "--_--", "T_T1", "0.0", "(2019-nCoV)", "(CDC)", "（Hat Yai）", "(°C)", "(Δ4A)", "(где)", "(ада)",
    "(1/12)", "(今天_今天)", "(x+y)", "f(x)", "(好)", "()", "(_)", "(__)", "a_b", "x__x1", "(△ABC)", "(□)", "——", "……",
    "100%_", "C_C++", "^", "_",
]  # fmt: skip
# What stands in none of the faces above and yet could be a start of one, again and again.
HOSTILE = [
    "(", "（T", "╮", "(^", "T_", "_", "^_", "=_=", "╮(╯▽╰)", "oO", "(>", "﹏", "▽ ",
    "(aa▽", "/", "/流泪", "/强", ":", ":a", ":1", "[", "[a", "[bed", "QAQ", "orz", "淚",
]  # fmt: skip


def read(text: str) -> str:
    return TextNormalizer(shorten_runs=False).normalize(text)


@pytest.mark.parametrize(("text", "expected"), CODES)
def test_a_code_of_another_place_is_the_code_of_its_meaning(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize("text", NO_CODES)
def test_paths_dates_times_and_lists_of_words_are_no_codes(text):
    normalizer = TextNormalizer(remove_urls=False, remove_cjk_white_space=False, shorten_runs=False)
    assert normalizer.normalize(f"好 {text} 累") == f"好 {text} 累"
    assert normalizer.normalize(text) == text


@pytest.mark.parametrize(("name", "face"), [(name, face) for name, faces in FACES.items() for face in faces.split()])
def test_a_face_is_one_emoji_that_is_named_in_chinese(name, face):
    assert read(f"好，{face}累") == f"好,[{name}]累"
    assert read(face) == f"[{name}]"


def test_a_flipped_table_may_stand_apart():
    assert read("气死了(╯°□°）╯︵ ┻━┻") == "气死了[怒]"


@pytest.mark.parametrize("text", NO_FACES)
def test_words_names_and_brackets_are_no_faces(text):
    assert FACE.sub(read_face, f"好，{text}，累") == f"好，{text}，累"
    assert FACE.sub(read_face, text) == text


def test_a_face_among_words_in_brackets_is_found():
    assert read("(haha T_T)") == "(haha [泪])"


def test_every_face_and_every_name_that_is_given_is_a_weibo_code():
    names = {*FACES, *(expected for text, expected in CODES)}
    assert [name for name in FACES if not is_weibo_code_name(name) or len(name) > 8] == []
    pieces = [piece.text for name in names for piece in split_emoji(name) if piece.is_emoji]
    assert all(fold_emoji(piece) == piece or piece.startswith("[") for piece in pieces)


def test_every_shortcode_of_the_emoji_package_is_its_emoji():
    aliases = {alias for data in emoji.EMOJI_DATA.values() for alias in (data["en"], *data.get("alias", ()))}
    readable = {a for a in aliases if re.fullmatch(r":[A-Za-z0-9_+-]+:", a) and not a.strip(":").isdecimal()}
    assert len(readable) > 4000
    expected = {alias: fold_emoji(emoji.emojize(alias, language="alias")) for alias in readable}
    assert {alias: read(alias) for alias in readable if read(alias) != expected[alias]} == {}


def test_unicode_emoji_in_brackets_are_kept():
    assert read("(😂▽😂)(⭐ω⭐)") == "(😂▽😂)(⭐ω⭐)"


def test_html_does_not_hide_a_face():
    assert read("好&gt;_&lt;") == "好[抓狂]"


def test_an_emoji_that_is_read_stands_as_the_user_wrote_it(tokenizer: ASLSTMTokenizer):
    text = "今天 又加班(╥﹏╥)，[Sob]/流泪:joy:"
    assert tokenizer.emoji_in(text) == ["(╥﹏╥)", "[Sob]", "/流泪", ":joy:"]
    spans = [(token, text[start:end]) for token, start, end in tokenizer.tokenize_with_offsets(text) if token in ("[泪]", "😂")]
    assert spans == [("[泪]", "(╥﹏╥)"), ("😂", ":joy:")]


def test_a_face_that_training_never_showed_is_spelled_by_its_meaning():
    tokenizer = build_tokenizer(build_vocabulary([*TEXTS, "无奈"]))
    assert tokenizer.tokenize("好╮(╯▽╰)╭") == ["好", "<unk_emoji>", "##无", "##奈"]


def test_training_counts_a_face_as_the_emoji_that_it_means():
    assert "[跪了]" in build_vocabulary(["给大神orz", "OTZ给大神"]).emoji
    assert "[跪了]" not in build_vocabulary(["给大神orz", "OTZ给大神"], read_emoji_codes=False).emoji


def test_text_rules_1_read_no_codes_and_no_faces():
    assert TextNormalizer(text_rules=1).normalize("好/流泪:joy:T_T[Facepalm]") == "好/流泪:joy:t_t[facepalm]"


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hostile_text_takes_linear_time(unit):
    text = (unit * 100_000)[:100_000]
    normalizer = TextNormalizer()
    start = time.perf_counter()
    normalizer.normalize(text)
    normalizer.normalize_with_offsets(text)
    assert time.perf_counter() - start < 10


def test_every_face_has_a_sign_that_the_text_is_searched_for():
    assert [face for faces in FACES.values() for face in faces.split() if not FACE_SIGN.search(face)] == []
