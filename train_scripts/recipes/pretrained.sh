# What the recipes of corpora share (they source it): the arguments, vectors, the pre-trained model, and a function that
# fine-tunes; a second run of a recipe replaces its model. Vectors and pre-trained model are made once for an OUTPUT_DIR; both
# also read the reposts and the virus corpus.
data=${1:?DATA_DIR} output=${2:?OUTPUT_DIR} seed=${3:-1}
python=${PYTHON:-python}
posts=("$data/nlpcc2014/train.jsonl.gz" "$data"/smp2020_ewect/{usual_train_labeled,virus_train}.txt.gz
    "$data/weibo_senti_100k/train.csv.gz" "$data/weibo_reposts/texts.txt.gz")
texts=(--input "${posts[@]}" --text_column text content review)
mkdir -p "$output"

if [ ! -e "$output/vectors.bin" ]; then
    "$python" -m aslstm train-vectors "${texts[@]}" --seed "$seed" --output "$output/vectors.bin"
fi
if [ ! -e "$output/pretrained" ]; then
    "$python" -m aslstm pretrain "${texts[@]}" --vectors "$output/vectors.bin" --data_dir "$data" \
        --also_learn nlpcc2014 smp2020_ewect smp2020_ewect_virus weibo_senti_100k --hidden_dropout_prob 0.3 \
        --mixed_precision bf16 --seed "$seed" --output_dir "$output/pretrained"
fi

train() {
    "$python" -m aslstm train --data_dir "$data" --init_from "$output/pretrained" --seed "$seed" \
        --min_count 3 --min_emoji_count 1 --num_train_epochs 4 --select last --learning_rate 1e-3 \
        --embedding_learning_rate 5e-4 --hidden_dropout_prob 0.3 --label_smoothing 0 --word_spelling_prob 0.1 \
        --evaluate_test --overwrite --mixed_precision bf16 --average_runs 3 --bag_of_words_weight 0.4 "$@"
}
