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
//   - A signal that is asked for, or ignored, at each moment of a change from the one to the other meets one of the two bits
//     at each moment: the new bit is set before the old one is cleared. Who finds neither looks once more if there were
//     changes meanwhile (signal_claimed).
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
  std::uint32_t changes;     // atomic; one more between setting a bit of the first two and clearing the other's
  std::uint64_t unblock;     // atomic: asked for, but blocked from the start
  std::uint64_t unblocked;   // atomic; receiver, and handlers on its thread: of them those its thread lets in
  m* recvm;                  // receiver: the thread that it is tied to while it lets in some of these
  std::uint64_t recv;        // receiver: fetched, not yet returned
  std::uint32_t state;       // atomic
  std::uint32_t delivering;  // atomic: handlers between the look at wanted and the wake-up
  std::uint32_t rounds;      // atomic; the receiver adds one when all that it has fetched is delivered
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
  std::uint64_t have = atomic::Load(&sigq.unblocked);
  if (want == have && (want != 0 || sigq.recvm == nullptr)) return;
  if (sigq.recvm == nullptr) LockOSThread();  // not lockOSThread: its thread must make no others, they inherit the mask
  sigq.recvm = getg()->m;
  // Blocked first, then taken off the list; and on the list before it is let in: the handler looks there.
  changesigmask(have & ~want, 0);
  atomic::Store(&sigq.unblocked, want);
  changesigmask(0, want & ~have);
  if (want == 0) {
    sigq.recvm = nullptr;
    UnlockOSThread();
  }
}

bool sigBlockAgain(std::uint32_t s, ucontext* ctx) {
  if (s == 0 || s >= kNSIG || getg()->m != sigq.recvm || (atomic::Load(&sigq.unblocked) & sigbit(s)) == 0) return false;
  atomic::And(&sigq.unblocked, ~sigbit(s));
  ctx->uc_sigmask |= sigbit(s);
  raiseproc(s);
  return true;
}

std::uint32_t signal_recv() {
  for (;;) {
    if (sigq.recv != 0) {
      auto i = static_cast<std::uint32_t>(__builtin_ctzll(sigq.recv));
      sigq.recv &= sigq.recv - 1;
      return i + 1;
    }
    updatemask();
    atomic::Xadd(&sigq.rounds, 1u);
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

// Idle is the receiver's work between two waits, so only a receiver that waits has delivered everything. In a storm of
// other signals it may never be seen to wait: its second round from now has fetched and delivered what is queued now.
void signalWaitUntilIdle() {
  while (atomic::Load(&sigq.delivering) != 0) Gosched();
  std::uint32_t from = atomic::Load(&sigq.rounds);
  while (atomic::Load(&sigq.state) != sigReceiving && atomic::Load(&sigq.rounds) - from < 2) Gosched();
}

static bool blockedAtStart(std::uint32_t s) { return (initSigmask & sigbit(s)) != 0 && blockableSig(s); }

void signal_enable(std::uint32_t s) {
  if (s == 0 || s >= kNSIG) return;
  atomic::Or(&sigq.wanted, sigbit(s));
  atomic::Xadd(&sigq.changes, 1u);
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
  atomic::Or(&sigq.ignored, sigbit(s));
  atomic::Xadd(&sigq.changes, 1u);
  sigignore(s);
  atomic::And(&sigq.wanted, ~sigbit(s));
}

void sigInitIgnored(std::uint32_t s) { sigq.ignored |= sigbit(s); }

bool signal_claimed(std::uint32_t s) {
  if (s == 0 || s >= kNSIG) return false;
  for (std::uint32_t seen = atomic::Load(&sigq.changes);;) {
    if ((atomic::Load(&sigq.wanted) | atomic::Load(&sigq.ignored)) & sigbit(s)) return true;
    std::uint32_t now = atomic::Load(&sigq.changes);
    if (now == seen) return false;
    seen = now;
  }
}

bool signal_ignored(std::uint32_t s) { return s != 0 && s < kNSIG && (atomic::Load(&sigq.ignored) & sigbit(s)) != 0; }

}  // namespace runtime
