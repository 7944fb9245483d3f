/// Settings that jemalloc, where it is linked, reads from this symbol before the first allocation; $MALLOC_CONF still wins.
///
/// Pages once touched stay with the process: a step allocates what the step before freed, and on virtual machines the first
/// touch of a page costs more than the arithmetic done on it. Only the program decides this; the library never does.
extern "C" const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always";
