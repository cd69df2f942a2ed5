// The point between two pieces, for unit tests: there is no goroutine to be stopped.
#include "runtime/cxx/memchunk.h"

namespace runtime {
void pieceDone(const void*) {}
}  // namespace runtime
