/* A P goes idle while another P makes one of its timers earlier (runtime/sched/proc_run.cpp, the end of findRunnable, and
 * wakeNetPoller in timeheap.cpp), for spin.
 *
 * What is modelled: the M that gives back the P with the timer, and sleeps in the poller until the timer's time as it
 * knows it; whoever resets the timer to an earlier time; a third M, which may be spinning meanwhile, and then stops.
 * Reads and writes interleave one by one; each of the three is sequentially consistent, as the code's are by the locked
 * instructions between them (timersLock and sched.lock are given back by an exchange, npidle and nmspinning are added to).
 *
 * What is checked: when all have done their part, somebody is awake, or sleeps no longer than until the timer's time.
 *
 * The mutant, which spin must refute:
 * -DSPINNERSONLY  only an M that was spinning looks at the timers again after it has given back its P, as in Go
 * and -DREACHED   that the check is reached at all
 */
#define LATE 9
#define EARLY 5

byte when = LATE;      /* p.timer0When */
byte npidle = 0;       /* sched.npidle */
byte nmspinning = 0;   /* sched.nmspinning */
bool polling = false;  /* sched.lastpoll == 0 */
byte pollUntil = 0;    /* sched.pollUntil, 0: not known yet */
byte asleepUntil = 0;  /* what the poller sleeps for, 0: nobody sleeps */
bool broken = false;   /* netpollBreak: the poller comes back and looks at all again */
bool woken = false;    /* wakep has started an M, which looks at all */
byte done = 0;

/* The end of findRunnable, for an M that has found nothing. until: the earliest time that it knows. */
inline giveUp(spins, until) {
  npidle++;
  if
  :: spins -> nmspinning--
  :: else
  fi;
#ifdef SPINNERSONLY
  if
  :: spins -> w = when; if :: w < until -> until = w :: else fi
  :: else
  fi;
#else
  w = when;
  if :: w < until -> until = w :: else fi;
#endif
  /* lastpoll is exchanged: one M polls, the other breaks its sleep if that is too long */
  atomic { got = !polling; polling = true };
  if
  :: got -> pollUntil = until; asleepUntil = until
  :: else -> w = pollUntil; if :: w == 0 || w > until -> broken = true :: else fi
  fi;
  done++
}

/* With the timer on its P, and not spinning. */
active proctype owner() {
  byte until, w;
  bool got;
  until = when;
  giveUp(false, until)
}

/* On another P, spinning, or not there at all. */
active proctype other() {
  byte until = LATE, w;
  bool got;
  if
  :: done++
  :: nmspinning++; until = when; giveUp(true, until)
  fi
}

active proctype resetter() {
  byte u;
  when = EARLY;
  if
  :: polling -> u = pollUntil; if :: u == 0 || u > EARLY -> broken = true :: else fi
  :: else ->
    if
    :: npidle > 0 -> if :: nmspinning == 0 -> woken = true :: else fi
    :: else
    fi
  fi;
  done++
}

active proctype monitor() {
  done == 3;
#ifdef REACHED
  assert(false);
#endif
  assert(woken || broken || asleepUntil == EARLY)
}
