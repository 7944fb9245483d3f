#pragma once
// The C interface of the crate in rust/: tokenizers and chat templates. Only rlhf/text includes it.
//
// Nothing unwinds across it: a failure, a panic included, comes back as text in `error` (and false, or a null pointer).
// What Rust hands out (rlhf_bytes, rlhf_ids, handles) is given back with the matching free function.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const char* data;
  size_t length;
} rlhf_view;  // borrowed for the call; where it is text it must be UTF-8, and is checked

typedef struct {
  char* data;
  size_t length;
} rlhf_bytes;

typedef struct {
  int64_t* data;
  size_t length;
} rlhf_ids;

typedef struct rlhf_tokenizer rlhf_tokenizer;
typedef struct rlhf_template rlhf_template;

void rlhf_bytes_free(rlhf_bytes bytes);
void rlhf_ids_free(rlhf_ids ids);

rlhf_tokenizer* rlhf_tokenizer_from_json(rlhf_view json, rlhf_bytes* error);
void rlhf_tokenizer_free(rlhf_tokenizer* tokenizer);
bool rlhf_tokenizer_to_json(const rlhf_tokenizer* tokenizer, rlhf_bytes* json, rlhf_bytes* error);

// `ids` receives the ids of all texts one after the other, `lengths[i]` how many belong to text i.
bool rlhf_tokenizer_encode(const rlhf_tokenizer* tokenizer, const rlhf_view* texts, size_t count, bool add_special,
                           rlhf_ids* ids, size_t* lengths, rlhf_bytes* error);
bool rlhf_tokenizer_decode(const rlhf_tokenizer* tokenizer, const int64_t* ids, size_t count, bool skip_special,
                           rlhf_bytes* text, rlhf_bytes* error);

int64_t rlhf_tokenizer_size(const rlhf_tokenizer* tokenizer);
int32_t rlhf_tokenizer_decoder_kind(const rlhf_tokenizer* tokenizer);  // the order of text::DecoderKind
bool rlhf_tokenizer_is_special(const rlhf_tokenizer* tokenizer, int64_t id);
int64_t rlhf_tokenizer_id(const rlhf_tokenizer* tokenizer, rlhf_view token);                    // -1: none
bool rlhf_tokenizer_token(const rlhf_tokenizer* tokenizer, int64_t id, rlhf_bytes* token);      // false: none
// The bytes the token stands for; `is_byte` tells a <0xAB> token from others. False: no such id.
bool rlhf_tokenizer_token_bytes(const rlhf_tokenizer* tokenizer, int64_t id, rlhf_bytes* bytes, bool* is_byte);

rlhf_tokenizer* rlhf_tokenizer_train_bpe(const rlhf_view* texts, size_t count, size_t vocabulary_size,
                                         const rlhf_view* special_tokens, size_t special_count, rlhf_bytes* error);

// Threads for encoding many texts; 0 = the default pool (RAYON_NUM_THREADS, else all cores).
bool rlhf_set_threads(size_t threads, rlhf_bytes* error);

rlhf_template* rlhf_template_compile(rlhf_view source, rlhf_bytes* error);
void rlhf_template_free(rlhf_template* handle);
// `variables`: the text of a JSON object.
bool rlhf_template_render(const rlhf_template* handle, rlhf_view variables, rlhf_bytes* text, rlhf_bytes* error);

#ifdef __cplusplus
}
#endif
