// From handler to goroutine, without a lock: a handler may have interrupted anything.
//
// A pending signal is one bit: a second SIGUSR1 before the first was fetched is lost, as it is in the kernel. The state
// word says whether the receiving goroutine sleeps (receiving), or will find something when it looks (sending).
//
// Invariants
//   - Handlers set bits of mask, then move state: idle → sending, or receiving → idle with a wake-up.
//   - Only the receiver clears bits, all of them at once, after it has moved state back to idle.
//   - Threads keep the mask the program was started with: what it starts or executes sees that. A signal that was blocked
//     then and is asked for now is let in by one thread only, the receiver's, which from then on is tied to it.
#include "runtime/diag/sigqueue.h"

#include "runtime/diag/signal_unix.h"
#include "runtime/sched/proc.h"
#include "runtime/sched/proc_m.h"

namespace runtime {

enum : std::uint32_t { sigIdle, sigReceiving, sigSending };

static struct {
  ::runtime::note note;
  std::uint64_t wanted;      // atomic
  std::uint64_t ignored;     // atomic
  std::uint64_t mask;        // atomic: pending
  std::uint64_t unblock;     // atomic: asked for, but blocked from the start
  std::uint64_t unblocked;   // receiver: of them those its thread lets in
  std::uint64_t recv;        // receiver: fetched, not yet returned
  std::uint32_t state;       // atomic
  std::uint32_t delivering;  // atomic: handlers between the look at wanted and the wake-up
} sigq GOSYM("runtime.sig");

// Makes the receiver look at what has changed.
static void poke() {
  for (;;) {
    switch (atomic::Load(&sigq.state)) {
      case sigIdle:
        if (atomic::Cas(&sigq.state, +sigIdle, +sigSending)) return;
        break;
      case sigReceiving:
        if (atomic::Cas(&sigq.state, +sigReceiving, +sigIdle)) {
          notewakeup(&sigq.note);
          return;
        }
        break;
      default:
        return;  // somebody else's news is not fetched yet; ours goes with it
    }
  }
}

bool sigsend(std::uint32_t s) {
  if (s == 0 || s >= kNSIG) return false;
  std::uint64_t bit = sigbit(s);
  atomic::Xadd(&sigq.delivering, 1u);
  bool wanted = (atomic::Load(&sigq.wanted) & bit) != 0;
  if (wanted && (__atomic_fetch_or(&sigq.mask, bit, __ATOMIC_SEQ_CST) & bit) == 0) poke();
  atomic::Xadd(&sigq.delivering, -1);
  return wanted;
}

// The receiver's thread lets in what is asked for, and nothing else that was blocked at the start.
static void updatemask() {
  std::uint64_t want = atomic::Load(&sigq.unblock);
  if (want == sigq.unblocked) return;
  if (sigq.unblocked == 0) lockOSThread();
  changesigmask(sigq.unblocked & ~want, want & ~sigq.unblocked);
  sigq.unblocked = want;
  if (want == 0) unlockOSThread();
}

std::uint32_t signal_recv() {
  for (;;) {
    if (sigq.recv != 0) {
      auto i = static_cast<std::uint32_t>(__builtin_ctzll(sigq.recv));
      sigq.recv &= sigq.recv - 1;
      return i + 1;
    }
    updatemask();
    for (bool woken = false; !woken;) {
      switch (atomic::Load(&sigq.state)) {
        case sigIdle:
          if (atomic::Cas(&sigq.state, +sigIdle, +sigReceiving)) {
            notetsleepg(&sigq.note, -1);
            noteclear(&sigq.note);
            woken = true;
          }
          break;
        case sigSending:
          woken = atomic::Cas(&sigq.state, +sigSending, +sigIdle);
          break;
        default:
          throw_("signal_recv: inconsistent state");
      }
    }
    sigq.recv = atomic::Xchg(&sigq.mask, 0);
  }
}

void signalWaitUntilIdle() {
  while (atomic::Load(&sigq.delivering) != 0) Gosched();
  while (atomic::Load(&sigq.state) == sigSending) Gosched();
}

static bool blockedAtStart(std::uint32_t s) { return (initSigmask & sigbit(s)) != 0 && blockableSig(s); }

void signal_enable(std::uint32_t s) {
  if (s == 0 || s >= kNSIG) return;
  atomic::Or(&sigq.wanted, sigbit(s));
  atomic::And(&sigq.ignored, ~sigbit(s));
  sigenable(s);
  if (blockedAtStart(s)) {
    atomic::Or(&sigq.unblock, sigbit(s));
    poke();
  }
}

void signal_disable(std::uint32_t s) {
  if (s == 0 || s >= kNSIG) return;
  sigdisable(s);
  if (atomic::Load(&sigq.unblock) & sigbit(s)) {
    atomic::And(&sigq.unblock, ~sigbit(s));
    poke();
  }
  atomic::And(&sigq.wanted, ~sigbit(s));
  atomic::And(&sigq.ignored, ~sigbit(s));
}

void signal_ignore(std::uint32_t s) {
  if (s == 0 || s >= kNSIG) return;
  sigignore(s);
  atomic::And(&sigq.wanted, ~sigbit(s));
  atomic::Or(&sigq.ignored, sigbit(s));
}

void sigInitIgnored(std::uint32_t s) { sigq.ignored |= sigbit(s); }

bool signal_ignored(std::uint32_t s) { return s != 0 && s < kNSIG && (atomic::Load(&sigq.ignored) & sigbit(s)) != 0; }

}  // namespace runtime
