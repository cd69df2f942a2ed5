// Signals that the program asked for, on their way from the handler to a goroutine. The public side is boot/signal.h.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

void signal_enable(std::uint32_t sig) GOSYM("runtime.signal_enable");
void signal_disable(std::uint32_t sig) GOSYM("runtime.signal_disable");
void signal_ignore(std::uint32_t sig) GOSYM("runtime.signal_ignore");
// Ignored from the start (initsig).
void sigInitIgnored(std::uint32_t sig) GOSYM("runtime.sigInitIgnored");
bool signal_ignored(std::uint32_t sig) GOSYM("runtime.signal_ignored");
// The next signal that somebody asked for; blocks. One goroutine at a time.
std::uint32_t signal_recv() GOSYM("runtime.signal_recv");
// Waits until every signal whose handler has begun is with the receiver's caller: after it, what was disabled comes no more.
void signalWaitUntilIdle() GOSYM("runtime.signalWaitUntilIdle");

}  // namespace runtime
