#!/usr/bin/env bash
# The same for SMP2020-EWECT, virus: train_scripts/recipes/smp2020_ewect_virus.sh DATA_DIR OUTPUT_DIR [SEED]
set -euo pipefail
source "$(dirname "$0")/pretrained.sh"

train --dataset smp2020_ewect_virus --output_dir "$output/smp2020_ewect_virus"
