//! Hugging Face tokenizers and Jinja chat templates behind a C interface (include/rlhf_text.h).

mod border;
mod python;
mod template;
mod template_methods;
mod tokenizer;
mod training;
