#!/usr/bin/env bash
# From openly licensed texts, the sample corpus and the answers of teachers to the model that the package ships:
# train_scripts/recipes/built_in.sh DATA_DIR OUTPUT_DIR
# DATA_DIR also holds open/ and emoji/. The teachers are made first if OUTPUT_DIR lacks them (teachers.sh). What the student reads
# is open_posts.jsonl, composed_posts.jsonl and the sample, nothing else; validation rows of the teachers' corpora choose its
# decision rule. The folder is OUTPUT_DIR/weibo-emotion.
set -euo pipefail
data=${1:?DATA_DIR} output=${2:?OUTPUT_DIR}
python=${PYTHON:-python}
recipes=$(dirname "$0")

"$recipes/teachers.sh" "$data" "$output"
posts="$output/open_posts.jsonl"
[ -e "$posts" ] || "$python" "$recipes/open_posts.py" "$data" "$posts"
for teacher in nlpcc2014 nlpcc2014_both smp2020_ewect; do
    answers="$output/open_posts.$teacher.jsonl"
    [ -e "$answers" ] || "$python" -m aslstm predict --model "$output/$teacher" --input "$posts" --output "$answers" \
        --text_column asked --no_clean
done
"$python" "$recipes/join_teachers.py" "$output/open_posts.joined.jsonl" --teachers "$output"/open_posts.nlpcc2014{,_both}.jsonl \
    --coarse "$output/open_posts.smp2020_ewect.jsonl" --coarse_weight 0.3
"$python" "$recipes/composed_posts.py" "$output/composed_posts.jsonl"
# Most of what is read are real posts: with as many composed ones the answers to real posts are worse.
draw() { shuf -n "$1" --random-source=<(yes) "$2"; }
cat "$output/open_posts.joined.jsonl" <(draw 40000 "$output/composed_posts.jsonl") > "$output/soft_labels.jsonl"
sample=$("$python" -c "from aslstm.data.known_corpora import SAMPLE_FOLDER; print(SAMPLE_FOLDER)")
[ -e "$output/open_vectors.bin" ] || "$python" -m aslstm train-vectors --input "$posts" "$sample/train.jsonl" \
    --text_column text --vector_size 96 --seed 1 --output "$output/open_vectors.bin"
"$python" - "$data" "$output/nlpcc2014_validation.jsonl" <<'END'
import sys
from pathlib import Path

from aslstm.data.corpora import CorpusSource, load_corpus

load_corpus(CorpusSource("nlpcc2014", Path(sys.argv[1])))["validation"].to_json(sys.argv[2], force_ascii=False)
END
train() {
    "$python" -m aslstm train --train_file "$sample/train.jsonl" --no_clean \
        --validation_file "$output/nlpcc2014_validation.jsonl" --unidirectional --segmenter rjieba \
        --select last --hidden_dropout_prob 0.1 --mixed_precision bf16 --per_device_train_batch_size 128 "$@"
}
[ -e "$output/built_in.first" ] || train --soft_labels "$output/soft_labels.jsonl" --soft_label_weight 0.5 \
    --vectors "$output/open_vectors.bin" --embedding_size 96 --hidden_size 96 --min_count 10 --min_emoji_count 1 \
    --num_train_epochs 6 --learning_rate 2e-3 --embedding_learning_rate 1e-3 --bag_of_words_weight 0.2 --seed 1 \
    --init_from none --output_dir "$output/built_in.first"
# Three models go on from it, one with real posts alone and two with composed ones as well. None of them learns the teachers'
# answers to posts with negated feelings, which are mostly wrong. The mean of all four keeps half of the first one's bag of words,
# which knows no negation either. No run may add words.
kept="$output/open_posts.kept.jsonl" mixed="$output/soft_labels.mixed.jsonl"
[ -e "$kept" ] || "$python" "$recipes/drop_negations.py" "$output/built_in.first" "$output/open_posts.joined.jsonl" "$kept"
cat "$kept" <(draw 80000 "$output/composed_posts.jsonl") > "$mixed"
further() {
    [ -e "$output/built_in.$1" ] || train --init_from "$output/built_in.first" --output_dir "$output/built_in.$1" \
        --min_count 1000000 --min_emoji_count 1000000 --learning_rate 1e-3 --embedding_learning_rate 5e-4 \
        --num_train_epochs 2 "${@:2}"
}
further second --soft_labels "$kept" --soft_label_weight 0.9 --seed 9
further third --soft_labels "$mixed" --soft_label_weight 0.8 --seed 10
further fourth --soft_labels "$mixed" --soft_label_weight 0.8 --seed 11
"$python" "$recipes/average_models.py" "$output/built_in" "$output"/built_in.{first,second,third,fourth} --bag_of_words 0.5
"$python" "$recipes/fit_rules.py" "$output/built_in" "$data"
"$python" "$recipes/pack_model.py" "$output/built_in" "$recipes/built_in_card.md" "$output/weibo-emotion"
"$python" -m benchmarks.zero_shot --data_dir "$data" --model "$output/weibo-emotion" --teachers "$output/nlpcc2014" --card
