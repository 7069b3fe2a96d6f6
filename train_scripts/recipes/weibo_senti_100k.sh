#!/usr/bin/env bash
# Binary sentiment: train_scripts/recipes/weibo_senti_100k.sh DATA_DIR OUTPUT_DIR [SEED]
# The labels of this corpus were derived from its emoji: what the model says of posts without emoji is what counts.
set -euo pipefail
source "$(dirname "$0")/pretrained.sh"

train --dataset weibo_senti_100k --emoji_spelling_prob 0.5 --num_train_epochs 2 --output_dir "$output/weibo_senti_100k"
