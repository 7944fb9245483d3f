//! Byte-level BPE trained from texts, for tiny models from scratch.

use crate::border::{guard, texts, Bytes, View};
use crate::tokenizer::{in_pool, Handle};
use tokenizers::models::bpe::{BpeTrainer, BPE};
use tokenizers::models::TrainerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, Tokenizer};

fn train(texts: &[&str], vocabulary_size: usize, special_tokens: &[&str]) -> Result<Tokenizer, tokenizers::Error> {
    let mut trainer: TrainerWrapper = BpeTrainer::builder()
        .vocab_size(vocabulary_size)
        .show_progress(false)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .special_tokens(special_tokens.iter().map(|token| AddedToken::from(*token, true)).collect())
        .build()
        .into();
    let mut tokenizer = Tokenizer::new(BPE::default());
    tokenizer.with_pre_tokenizer(Some(ByteLevel::new(false, true, true)));
    tokenizer.with_decoder(Some(ByteLevel::default()));
    // Special tokens in the texts are cut out: encoding will never see their letters.
    let mut pieces: Vec<String> = texts.iter().map(|text| text.to_string()).collect();
    for token in special_tokens.iter().filter(|token| !token.is_empty()) {
        pieces = pieces.iter().flat_map(|piece| piece.split(token)).map(str::to_string).collect();
    }
    in_pool(|| tokenizer.train(&mut trainer, pieces.into_iter()).map(|_| ()))?;
    Ok(tokenizer)
}

#[no_mangle]
pub unsafe extern "C" fn rlhf_tokenizer_train_bpe(
    views: *const View,
    count: usize,
    vocabulary_size: usize,
    special_views: *const View,
    special_count: usize,
    error: *mut Bytes,
) -> *mut Handle {
    guard(error, || {
        let (inputs, special) = (texts(views, count)?, texts(special_views, special_count)?);
        let tokenizer = train(&inputs, vocabulary_size, &special).map_err(|error| error.to_string())?;
        Ok(Box::into_raw(Box::new(Handle::new(tokenizer)?)))
    })
    .unwrap_or(std::ptr::null_mut())
}
