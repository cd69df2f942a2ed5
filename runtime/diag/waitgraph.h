// Who waits for whom, in text, with the fatal message of a deadlock (GODEBUG=deadlockgraph=1).
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

// schedinit: sets hooks.deadlockGraph.
void waitgraphinit() GOSYM("runtime.waitgraphinit");
void printwaitgraph() GOSYM("runtime.printwaitgraph");

}  // namespace runtime
