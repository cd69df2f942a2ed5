// GODEBUG=schedtrace=ms and scheddetail=1: the scheduler's state as lines in Go's format, from sysmon and from a crash.
//
// A line, or the block of lines of one report, goes out by as few writes as it can, so that reports and the program's
// own output do not mix within a line.
#include "runtime/base/hooks.h"
#include "runtime/base/print.h"
#include "runtime/sched/proc.h"

namespace runtime {

namespace {

std::int64_t starttime;  // sysmon, or who crashes

struct out {
  char buf[4096];
  std::size_t n = 0;
  template <class... A>
  void add(fmt::format_string<A...> f, A&&... a) {
    if (sizeof buf - n < 320) flush();
    n += vsnprint(buf + n, sizeof buf - n, f, fmt::make_format_args(a...));
  }
  void flush() {
    writeErr(buf, n);
    n = 0;
  }
};

void printPs(out& o, bool detailed) {
  for (std::int64_t i = 0; i < allp.len; i++) {
    p* pp = allp.array[i];
    m* mp = pp->m;
    std::uint32_t n = atomic::Load(&pp->runqtail) - atomic::Load(&pp->runqhead);
    // The goroutine in runnext is not counted: Go's numbers leave it out, and they shall compare.
    if (detailed) {
      std::int64_t id = mp != nullptr ? mp->id : -1;
      o.add("  P{}: status={} schedtick={} syscalltick={} m={} runqsize={} gfreecnt={} timerslen={}\n", i, pp->status,
            pp->schedtick, pp->syscalltick, id, n, pp->gFreeN, pp->timers.len);
    } else {
      o.add("{}{}{}", i == 0 ? " [" : " ", n, i == allp.len - 1 ? "]\n" : "");
    }
  }
}

void printMs(out& o) {
  for (m* mp = atomic::Load(&allm); mp != nullptr; mp = mp->alllink) {
    p* pp = mp->p;
    g *gp = mp->curg, *lockedg = mp->lockedg;
    std::int32_t pid = pp != nullptr ? pp->id : -1;
    std::int64_t curg = gp != nullptr ? gp->goid : -1, locked = lockedg != nullptr ? lockedg->goid : -1;
    o.add(
        "  M{}: p={} curg={} mallocing={} throwing={} preemptoff={} locks={} dying={} spinning={} blocked={} "
        "lockedg={}\n",
        mp->id, pid, curg, mp->mallocing, mp->throwing, mp->preemptoff != nullptr ? mp->preemptoff : "", mp->locks,
        mp->dying, mp->spinning, mp->blocked, locked);
  }
}

void printGs(out& o) {
  std::uint64_t n = atomic::Load(&allglen);
  g** gs = atomic::Load(&allgptr);
  for (std::uint64_t i = 0; i < n; i++) {
    g* gp = gs[i];
    m *mp = gp->m, *lockedm = gp->lockedm;
    std::int64_t mid = mp != nullptr ? mp->id : -1, lid = lockedm != nullptr ? lockedm->id : -1;
    const char* why = gp->waitreason < waitReasonCount ? waitReasonStrings[gp->waitreason] : "";
    o.add("  G{}: status={}({}) m={} lockedm={}\n", gp->goid, readgstatus(gp), why, mid, lid);
  }
}

}  // namespace

LANDMARK void schedtrace(bool detailed) {
  if (debug.schedtrace <= 0 && debug.scheddetail <= 0) return;
  std::int64_t now = nanotime();
  if (starttime == 0) starttime = now;
  // A crash does not wait for a lock that the crashed thread itself may hold: what it prints may then be torn.
  bool locked = atomic::Load(&panicking) == 0;
  if (locked) lock(&sched.lock);
  // What Ps keep of the global queue for themselves (proc_runq.cpp) belongs to it.
  std::int32_t runqueue = sched.runqsize;
  for (std::int64_t i = 0; i < allp.len; i++) runqueue += atomic::LoadRelaxed(&allp.array[i]->yieldqsize);
  out o;
  o.add("SCHED {}ms: gomaxprocs={} idleprocs={} threads={} spinningthreads={} idlethreads={} runqueue={}",
        (now - starttime) / 1000000, gomaxprocs, atomic::Load(&sched.npidle), mcount(), atomic::Load(&sched.nmspinning),
        sched.nmidle, runqueue);
  if (detailed) {
    o.add(" gcwaiting={} nmidlelocked={} stopwait={} sysmonwait={}\n", atomic::Load(&sched.gcwaiting),
          sched.nmidlelocked, sched.stopwait, atomic::Load(&sched.sysmonwait));
  }
  printPs(o, detailed);
  if (detailed) {
    printMs(o);
    printGs(o);
  }
  if (locked) unlock(&sched.lock);
  o.flush();
}

}  // namespace runtime
