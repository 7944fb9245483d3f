/// Settings that jemalloc, where it is linked, reads from this symbol before the first allocation; $MALLOC_CONF still wins.
///
/// Pages once touched stay with the process: a step allocates what the step before freed, and on virtual machines the first
/// touch of a page costs more than the arithmetic done on it. Two settings keep steps of different sizes from growing: a
/// small request may take from any large free extent (the limit's logarithm is 20 instead of 6), and only what is as large
/// as a matrix of embeddings is kept apart. Only the program decides this; the library never does.
extern "C" const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always,lg_extent_max_active_fit:20,oversize_threshold:67108864";
