// What a program must have linked in for what it uses. (For the other headers.)
#pragma once

namespace boot::detail {

// The marking beside the program (runtime/gc/mgcconc.cpp): for all that allocates collected memory. Programs that never do
// are smaller by it. The section is not in the linked program.
[[gnu::always_inline]] inline void needConcurrentMarking() {
  __asm__ inline(".pushsection .boot.needs, \"e\", @progbits\n\t.quad runtime.concurrentMarking\n\t.popsection");
}

// Destructors of what a channel holds when nobody can reach it (runtime/gc/mfinal.cpp): for all that makes such channels.
[[gnu::always_inline]] inline void needFinalizers() {
  __asm__ inline(".pushsection .boot.needs, \"e\", @progbits\n\t.quad runtime.chanSetFinalizer\n\t.popsection");
}

}  // namespace boot::detail
