/* The sleep/wake protocol of the scheduler (runtime/sched/proc_run.cpp, head of the file), for spin.
 *
 * What is modelled: Ms that find work, run it, spin, give their P back and sleep on a note; goroutines that make others
 * ready (runqput, wakep); work that comes without a P, as from sysmon or the poller (injectglist); the idle lists under
 * sched.lock; nmspinning and npidle; wakep, startm, stopm, resetspinning and findRunnable's second look.
 * What is left out: queues are counters, stealing is a decrement (its own protocol is in proc_runq.cpp); no timers, no
 * stop of the world, and no sysmon, which would hide a lost wake-up by preempting after 10 ms.
 * Steps that the code does under sched.lock are atomic here; all others interleave.
 *
 * What is checked
 *   - no two Ms hold one P, nobody runs without one, nmspinning counts right: asserts.
 *   - work is conserved: while goroutines run for ever on all Ps but one, any work in any queue, their own Ps' included,
 *     is taken up by that one. A lost wake-up leaves them waiting and all else asleep: spin's "invalid end state".
 *   - when all is done, all Ms sleep, both Ps are idle and nobody counts as spinning (monitor).
 *
 * The mutants, each of which spin must refute (NORESET needs -DNP=3):
 * -DNOSECONDLOOK  an M that has given back its P sleeps at once, without looking at the queues again
 * -DSPINNERSONLY  only an M that was spinning looks again, as in Go 1.19 (there sysmon's preemption repairs it)
 * -DLOOKFIRST     a spinning M looks again, but before nmspinning--
 * -DNORESET       a spinning M that finds work does not wake another in its place
 * and -DREACHED   that the monitor's checks are reached at all
 */
#ifndef NWORK
#define NWORK 3 /* goroutines made beside the first */
#endif
#ifndef NP
#define NP 2    /* processors: 2 or 3 */
#endif
#define NM (NP + 1) /* threads */
#define NOP 255

byte runq[NP];     /* local queues: number of goroutines */
byte globq;        /* the global queue, under sched.lock */
byte nmspinning;
byte npidle;
bit pidle[NP];     /* P is on the idle list */
byte powner[NP];   /* number of Ms that hold P */
bit midle[NM];     /* M is on the idle list, about to sleep or asleep */
bit asleep[NM];    /* M waits for its note */
bit notekey[NM];   /* the note */
byte nextp[NM];    /* the P handed over with the wake-up */
bit wakespin[NM];  /* ... and whether as a spinning M */
byte left = NWORK; /* goroutines still to be made */
byte waiting;      /* goroutines that run for ever, until all queues are empty */
bit subdone;

#if NP == 3
#define QUEUED   (globq + runq[0] + runq[1] + runq[2])
#define ALL(a)   (a[0] && a[1] && a[2] && a[3])
#define NONE(a)  (!a[0] && !a[1] && !a[2] && !a[3])
#else
#define QUEUED   (globq + runq[0] + runq[1])
#define ALL(a)   (a[0] && a[1] && a[2])
#define NONE(a)  (!a[0] && !a[1] && !a[2])
#endif

/* Within atomic, as under sched.lock. */
inline pidleget(pp) {
  if
  :: pidle[0] -> pp = 0; pidle[0] = 0; npidle--
  :: !pidle[0] && pidle[1] -> pp = 1; pidle[1] = 0; npidle--
#if NP == 3
  :: !pidle[0] && !pidle[1] && pidle[2] -> pp = 2; pidle[2] = 0; npidle--
#endif
  :: else -> pp = NOP
  fi
}
inline mget(mm) {
  if
  :: midle[0] -> mm = 0
  :: !midle[0] && midle[1] -> mm = 1
  :: !midle[0] && !midle[1] && midle[2] -> mm = 2
#if NP == 3
  :: !midle[0] && !midle[1] && !midle[2] && midle[3] -> mm = 3
#endif
  fi;
  midle[mm] = 0
}

/* Were no M idle, newm would make one. Here there are NM for ever, so this waits for one on its way to sleep: that is a
 * slow newm. */
inline startm(pp, spin) {
  atomic {
    !NONE(midle) -> mget(mm);
    nextp[mm] = pp; wakespin[mm] = spin; notekey[mm] = 1; mm = 0
  }
}

inline wakep() {
  if
  :: npidle == 0
  :: npidle != 0 ->
     if
     :: atomic { nmspinning == 0 -> nmspinning = 1 };
        atomic {
          pidleget(pp);
          if :: pp == NOP -> nmspinning-- :: else fi
        };
        if
        :: pp != NOP -> startm(pp, 1)
        :: else
        fi;
        pp = 0
     :: nmspinning != 0
     fi
  fi
}

inline becomespinning() {
  spinning = 1;
  nmspinning++
}

inline take(q) {
  atomic { if :: q > 0 -> q--; got = 1 :: else -> got = 0 fi }
}

proctype M(byte id; byte p) {
  bit spinning, got, was;
  byte pp, mm;

  if
  :: p == NOP -> goto stopm
  :: else -> goto exec
  fi;

findRunnable:
  take(runq[p]); if :: got -> goto exec :: else fi;
  take(globq); if :: got -> goto exec :: else fi;
  if
  :: spinning || 2 * nmspinning < NP - npidle ->
     if :: !spinning -> becomespinning() :: else fi;
     take(runq[(p + 1) % NP]); if :: got -> goto exec :: else fi
#if NP == 3
     ; take(runq[(p + 2) % NP]); if :: got -> goto exec :: else fi
#endif
  :: else
  fi;

  /* give P back, after a last look at what comes in by the lock */
  atomic {
    if
    :: globq > 0 -> globq--; got = 1
    :: else ->
       got = 0;
       assert(powner[p] == 1 && runq[p] == 0);
       powner[p]--; pidle[p] = 1; npidle++; p = NOP
    fi
  };
  if :: got -> goto exec :: else fi;

  was = spinning;
#ifndef LOOKFIRST
  if
  :: spinning -> spinning = 0; atomic { assert(nmspinning > 0); nmspinning-- }
  :: else
  fi;
#endif
  /* the second look */
  got = 0;
#ifndef NOSECONDLOOK
#ifdef SPINNERSONLY
  if
  :: was ->
#endif
     if
     :: runq[0] > 0 -> got = 1
     :: else ->
        if
        :: runq[1] > 0 -> got = 1
#if NP == 3
        :: else -> if :: runq[2] > 0 -> got = 1 :: else fi
#else
        :: else
#endif
        fi
     fi
#ifdef SPINNERSONLY
  :: else
  fi
#endif
     ;
#endif
  was = 0;
#ifdef LOOKFIRST
  if
  :: spinning -> spinning = 0; atomic { assert(nmspinning > 0); nmspinning-- }
  :: else
  fi;
#endif
  if
  :: got ->
     got = 0;
     atomic { pidleget(pp); p = pp; if :: p != NOP -> powner[p]++ :: else fi; pp = 0 };
     if
     :: p != NOP -> becomespinning(); goto findRunnable
     :: else
     fi
  :: else
  fi;

stopm:
  midle[id] = 1;
endsleep:
  atomic { asleep[id] = 1 };
endasleep:
  atomic {
    notekey[id] -> notekey[id] = 0; asleep[id] = 0;
    p = nextp[id]; nextp[id] = 0; spinning = wakespin[id]; wakespin[id] = 0;
    powner[p]++; assert(powner[p] == 1)
  };
  goto findRunnable;

exec:
  got = 0;
  assert(powner[p] == 1);
  if
  :: spinning ->
     spinning = 0;
     atomic { assert(nmspinning > 0); nmspinning-- };
#ifndef NORESET
     wakep()
#endif
  :: else
  fi;
  /* the goroutine may make others ready, and may then run for ever */
  do
  :: atomic { left > 0 -> left--; runq[p]++ };
     wakep()
  :: break
  od;
  if
  :: atomic { waiting < NP - 1 -> waiting++ }; atomic { QUEUED == 0 -> waiting-- }
  :: true
  fi;
  goto findRunnable
}

/* Somebody without a P: puts work on the global queue, then starts an M if a P is idle (injectglist). */
proctype submitter() {
  byte pp, mm;
  do
  :: atomic { left > 0 -> left--; globq++ };
     if
     :: npidle != 0 ->
        atomic { pidleget(pp) };
        if :: pp != NOP -> startm(pp, 0) :: else fi;
        pp = 0
     :: else
     fi
  :: break
  od;
  subdone = 1
}

proctype monitor() {
endmonitor:
  atomic {
    (subdone && ALL(asleep) && NONE(notekey)) ->
    assert(QUEUED == 0);
    assert(npidle == NP && nmspinning == 0)
#ifdef REACHED
    ; assert(false) /* that the checks above are reached at all */
#endif
  }
}

init {
  atomic {
    powner[0] = 1; pidle[1] = 1; npidle = NP - 1;
    run M(0, 0);
    run M(1, NOP);
    run M(2, NOP);
#if NP == 3
    pidle[2] = 1;
    run M(3, NOP);
#endif
    run submitter();
    run monitor()
  }
}
