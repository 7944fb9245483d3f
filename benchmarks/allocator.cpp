// Read by jemalloc when the program starts: pages once touched stay with the process, and are large ones.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always";
}
