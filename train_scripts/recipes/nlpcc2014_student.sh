#!/usr/bin/env bash
# From teachers to a student that also learns their answers on reposts:
# train_scripts/recipes/nlpcc2014_student.sh DATA_DIR OUTPUT_DIR [SEED]
# The teachers are made first if OUTPUT_DIR lacks them (teachers.sh; ngram_teacher.py). Given their answers, 14 minutes on one
# CPU core with AVX-512, under an hour without.
set -euo pipefail
source "$(dirname "$0")/pretrained.sh"
recipes=$(dirname "$0")

"$recipes/teachers.sh" "$data" "$output"
reposts="$output/reposts.jsonl"
[ -e "$reposts" ] || "$python" "$recipes/draw_reposts.py" "$data/weibo_reposts/texts.txt.gz" "$reposts"
for teacher in nlpcc2014 nlpcc2014_both smp2020_ewect; do
    [ -e "$output/reposts.$teacher.jsonl" ] || "$python" -m aslstm predict --model "$output/$teacher" --input "$reposts" \
        --text_column text --no_clean --output "$output/reposts.$teacher.jsonl"
done
[ -e "$output/reposts.ngrams.jsonl" ] || "$python" "$recipes/ngram_teacher.py" "$data" "$reposts" "$output/reposts.ngrams.jsonl"
[ -e "$output/reposts.joined.jsonl" ] || "$python" "$recipes/join_teachers.py" "$output/reposts.joined.jsonl" \
    --teachers "$output"/reposts.{nlpcc2014,nlpcc2014_both,ngrams}.jsonl \
    --coarse "$output/reposts.smp2020_ewect.jsonl" --coarse_weight 0.2
student="$output/nlpcc2014_student-$seed"
[ -e "$student.whole" ] || train --dataset nlpcc2014 --emoji_row_repeats 1 --emoji_prior_weight 0.5 --unidirectional \
    --soft_labels "$output/reposts.joined.jsonl" --soft_label_weight 0.5 --num_train_epochs 3 \
    --output_dir "$student.whole"
"$python" "$recipes/prune_words.py" "$student.whole" "$student" 34.9 "${posts[@]}"
