// With one P: while a goroutine sleeps in libc, the one that will wake it runs. A call that held the P would never end.
// A mutex is unlocked here by another goroutine than locked it: libc allows that, ThreadSanitizer would report it.
// ENV: TSAN_OPTIONS=report_mutex_bugs=0
// HOSTED: only
// PROCS: 1
// TIMEOUT: 60
// STDOUT-MATCH: ^all \d+ let the others run$
#include <aio.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <shared_mutex>
#include <string>
#include <thread>

#include "cxx_check.h"

namespace {

const char* current = "";
int count = 0;

// Says which call it was before the test's time is over.
void onAlarm(int) {
  static const char text[] = "holds its P: ";
  (void)!write(1, text, sizeof text - 1);
  (void)!write(1, current, strlen(current));
  _exit(1);
}

// sleepIn() must come back when wake() has run on another goroutine, which it can only with the P.
void lets(const char* name, std::function<void()> sleepIn, std::function<void()> wake) {
  current = name;
  alarm(20);
  auto done = boot::make_chan<int>(1);
  boot::go([=] {
    wake();
    done.send(1);
  });
  sleepIn();
  done.recv();
  alarm(0);
  count++;
}

// For calls that a mere passing of time ends: the other goroutine must get to run before.
void letsFor(const char* name, std::function<void()> sleepIn) {
  std::atomic<bool> ran = false;
  lets(
      name,
      [&] {
        sleepIn();
        CHECK(ran);
      },
      [&] { ran = true; });
}

timespec in(clockid_t clock, long ms) {
  timespec t;
  clock_gettime(clock, &t);
  t.tv_nsec += ms * 1000000;
  t.tv_sec += t.tv_nsec / 1000000000;
  t.tv_nsec %= 1000000000;
  return t;
}

void pipes() {
  int fds[2];
  CHECK(pipe(fds) == 0);
  static char big[1 << 20], drained[1 << 20];
  auto put = [&] { CHECK(write(fds[1], "x", 1) == 1); };
  auto get = [&] { CHECK(read(fds[0], big, 1) == 1); };
  char c[8];
  iovec v{c, sizeof c};
  iovec bigv{big, sizeof big};
  pollfd p{fds[0], POLLIN, 0};
  timespec long_{100, 0};
  lets(
      "read", [&] { CHECK(read(fds[0], c, 1) == 1); }, put);
  lets(
      "readv", [&] { CHECK(readv(fds[0], &v, 1) == 1); }, put);
  lets(
      "preadv2", [&] { CHECK(preadv2(fds[0], &v, 1, -1, 0) == 1); }, put);
  lets(
      "syscall(read)", [&] { CHECK(syscall(SYS_read, fds[0], c, 1) == 1); }, put);
  lets(
      "poll", [&] { CHECK(poll(&p, 1, 100000) == 1); }, put);
  get();
  lets(
      "ppoll", [&] { CHECK(ppoll(&p, 1, &long_, nullptr) == 1); }, put);
  get();
  fd_set set;
  auto only = [&] {
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
  };
  only();
  lets(
      "select", [&] { CHECK(select(fds[0] + 1, &set, nullptr, nullptr, nullptr) == 1); }, put);
  get();
  only();
  lets(
      "pselect", [&] { CHECK(pselect(fds[0] + 1, &set, nullptr, nullptr, &long_, nullptr) == 1); }, put);
  get();
  int ep = epoll_create1(0);
  epoll_event e{EPOLLIN, {}};
  CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &e) == 0);
  lets(
      "epoll_wait", [&] { CHECK(epoll_wait(ep, &e, 1, -1) == 1); }, put);
  get();
  lets(
      "epoll_pwait", [&] { CHECK(epoll_pwait(ep, &e, 1, -1, nullptr) == 1); }, put);
  get();
  close(ep);
  int other[2];
  CHECK(pipe(other) == 0);
  lets(
      "splice", [&] { CHECK(splice(fds[0], nullptr, other[1], nullptr, 1, 0) == 1); }, put);
  lets(
      "tee", [&] { CHECK(tee(fds[0], other[1], 1, 0) == 1); }, put);
  get();
  auto drain = [&] {
    for (std::size_t n = 0; n < sizeof big;) n += static_cast<std::size_t>(read(fds[0], drained, sizeof drained));
  };
  lets(
      "write", [&] { CHECK(write(fds[1], big, sizeof big) == sizeof big); }, drain);
  lets(
      "writev", [&] { CHECK(writev(fds[1], &bigv, 1) == sizeof big); }, drain);
  close(other[0]);
  close(other[1]);
  close(fds[0]);
  close(fds[1]);
  CHECK(mkfifo("fifo", 0600) == 0);
  int in = -1, out = -1;
  auto opens = [&] { out = open("fifo", O_WRONLY); };
  lets(
      "open", [&] { in = open("fifo", O_RDONLY); }, opens);
  close(in);
  close(out);
  lets(
      "openat", [&] { in = openat(AT_FDCWD, "fifo", O_RDONLY); }, opens);
  close(in);
  close(out);
}

void sockets() {
  int s[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
  char c[8];
  auto put = [&] { CHECK(send(s[1], "x", 1, 0) == 1); };
  iovec v{c, sizeof c};
  msghdr m{};
  m.msg_iov = &v;
  m.msg_iovlen = 1;
  mmsghdr mm{m, 0};
  lets(
      "recv", [&] { CHECK(recv(s[0], c, 1, 0) == 1); }, put);
  lets(
      "recvfrom", [&] { CHECK(recvfrom(s[0], c, 1, 0, nullptr, nullptr) == 1); }, put);
  lets(
      "recvmsg", [&] { CHECK(recvmsg(s[0], &m, 0) == 1); }, put);
  lets(
      "recvmmsg", [&] { CHECK(recvmmsg(s[0], &mm, 1, 0, nullptr) == 1); }, put);
  static char big[1 << 20], drained[1 << 20];
  auto drain = [&] {
    for (std::size_t n = 0; n < sizeof big;) n += static_cast<std::size_t>(read(s[1], drained, sizeof drained));
  };
  iovec bigv{big, sizeof big};
  msghdr bigm{};
  bigm.msg_iov = &bigv;
  bigm.msg_iovlen = 1;
  mmsghdr bigmm{bigm, 0};
  lets(
      "send", [&] { CHECK(send(s[0], big, sizeof big, 0) == sizeof big); }, drain);
  lets(
      "sendto", [&] { CHECK(sendto(s[0], big, sizeof big, 0, nullptr, 0) == sizeof big); }, drain);
  lets(
      "sendmsg", [&] { CHECK(sendmsg(s[0], &bigm, 0) == sizeof big); }, drain);
  lets(
      "sendmmsg", [&] { CHECK(sendmmsg(s[0], &bigmm, 1, 0) == 1); }, drain);
  close(s[0]);
  close(s[1]);

  int l = socket(AF_UNIX, SOCK_STREAM, 0), client = -1, server = -1;
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  snprintf(a.sun_path, sizeof a.sun_path, "socket");
  auto addr = reinterpret_cast<const sockaddr*>(&a);
  CHECK(bind(l, addr, sizeof a) == 0 && listen(l, 0) == 0);
  auto dial = [&] {
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(client, addr, sizeof a) == 0);
  };
  lets(
      "accept", [&] { server = accept(l, nullptr, nullptr); }, dial);
  close(server);
  close(client);
  lets(
      "accept4", [&] { server = accept4(l, nullptr, nullptr, 0); }, dial);
  close(server);
  close(client);
  int fill = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(connect(fill, addr, sizeof a) == 0);  // the queue is full now
  lets("connect", dial, [&] { server = accept(l, nullptr, nullptr); });
  for (int fd : {fill, server, client, l}) close(fd);
}

void processes() {
  auto child = [](auto reap) {
    int fds[2];
    CHECK(pipe(fds) == 0);
    pid_t pid = fork();
    if (pid == 0) {
      char c;
      close(fds[1]);
      (void)!read(fds[0], &c, 1);
      _exit(3);
    }
    close(fds[0]);
    return std::pair([=] { reap(pid); }, [=] { close(fds[1]); });
  };
  auto three = [](int status) { CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3); };
  int st = 0;
  siginfo_t info;
  auto one = [&](const char* name, auto reap) {
    auto [sleepIn, wake] = child(reap);
    lets(name, sleepIn, wake);
  };
  one("waitpid", [&](pid_t p) {
    CHECK(waitpid(p, &st, 0) == p);
    three(st);
  });
  one("wait", [&](pid_t p) {
    CHECK(wait(&st) == p);
    three(st);
  });
  one("wait4", [&](pid_t p) {
    CHECK(wait4(p, &st, 0, nullptr) == p);
    three(st);
  });
  one("wait3", [&](pid_t p) {
    CHECK(wait3(&st, 0, nullptr) == p);
    three(st);
  });
  one("waitid",
      [&](pid_t p) { CHECK(waitid(P_PID, static_cast<id_t>(p), &info, WEXITED) == 0 && info.si_status == 3); });
  CHECK(mkfifo("go", 0600) == 0);
  auto open_ = [] { close(open("go", O_WRONLY)); };
  lets(
      "system", [&] { CHECK(system("read x < go; exit 0") == 0); }, open_);
  FILE* f = popen("read x < go; exit 0", "r");
  CHECK(f != nullptr);
  lets(
      "pclose", [&] { CHECK(pclose(f) == 0); }, open_);
}

void signals() {
  // Sent to this thread only, by another.
  struct sigaction sa {};
  sa.sa_handler = [](int) {};
  sa.sa_flags = SA_ONSTACK;
  CHECK(sigaction(SIGUSR2, &sa, nullptr) == 0);
  runtime::LockOSThread();
  pthread_t me = pthread_self();
  auto poke = [=] { CHECK(pthread_kill(me, SIGUSR2) == 0); };
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  CHECK(pthread_sigmask(SIG_BLOCK, &set, &old) == 0);
  timespec t{100, 0};
  int sig;
  lets(
      "sigwait", [&] { CHECK(sigwait(&set, &sig) == 0 && sig == SIGUSR2); }, poke);
  lets(
      "sigwaitinfo", [&] { CHECK(sigwaitinfo(&set, nullptr) == SIGUSR2); }, poke);
  lets(
      "sigtimedwait", [&] { CHECK(sigtimedwait(&set, nullptr, &t) == SIGUSR2); }, poke);
  lets(
      "sigsuspend", [&] { CHECK(sigsuspend(&old) == -1); }, poke);
  CHECK(pthread_sigmask(SIG_SETMASK, &old, nullptr) == 0);
  runtime::UnlockOSThread();
}

void ipc() {
  int q = msgget(IPC_PRIVATE, 0600), s = semget(IPC_PRIVATE, 1, 0600);
  CHECK(q >= 0 && s >= 0);
  struct {
    long type;
    char text[8192];
  } msg{1, {}}, got{};
  lets(
      "msgrcv", [&] { CHECK(msgrcv(q, &got, 1, 0, 0) == 1); }, [&] { CHECK(msgsnd(q, &msg, 1, 0) == 0); });
  while (msgsnd(q, &msg, sizeof msg.text, IPC_NOWAIT) == 0) {}
  lets(
      "msgsnd", [&] { CHECK(msgsnd(q, &msg, sizeof msg.text, 0) == 0); },
      [&] { CHECK(msgrcv(q, &got, sizeof got.text, 0, 0) == sizeof got.text); });
  sembuf down{0, -1, 0}, up{0, 1, 0};
  timespec t{100, 0};
  auto give = [&] { CHECK(semop(s, &up, 1) == 0); };
  lets(
      "semop", [&] { CHECK(semop(s, &down, 1) == 0); }, give);
  lets(
      "semtimedop", [&] { CHECK(semtimedop(s, &down, 1, &t) == 0); }, give);
  msgctl(q, IPC_RMID, nullptr);
  semctl(s, 0, IPC_RMID);

  mq_attr attr{};
  attr.mq_maxmsg = 1;
  attr.mq_msgsize = 8;
  std::string name = "/boot-test-" + std::to_string(getpid());
  mqd_t m = mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
  if (m != static_cast<mqd_t>(-1)) {  // some containers have none
    mq_unlink(name.c_str());
    char c[8];
    timespec until = in(CLOCK_REALTIME, 100000);
    auto put = [&] { CHECK(mq_send(m, "x", 1, 0) == 0); };
    auto get = [&] { CHECK(mq_receive(m, c, sizeof c, nullptr) == 1); };
    lets("mq_receive", get, put);
    lets(
        "mq_timedreceive", [&] { CHECK(mq_timedreceive(m, c, sizeof c, nullptr, &until) == 1); }, put);
    put();
    lets("mq_send", put, get);
    lets(
        "mq_timedsend", [&] { CHECK(mq_timedsend(m, "x", 1, 0, &until) == 0); }, get);
    mq_close(m);
  }
}

void fileLocks() {
  // flock's owner is the open file; F_OFD_SETLKW's too. lockf's and F_SETLKW's is the process: a child holds it.
  int a = open("locked", O_CREAT | O_RDWR, 0600), b = open("locked", O_RDWR);
  CHECK(flock(a, LOCK_EX) == 0);
  lets(
      "flock", [&] { CHECK(flock(b, LOCK_EX) == 0); }, [&] { CHECK(flock(a, LOCK_UN) == 0); });
  CHECK(flock(b, LOCK_UN) == 0);
  struct flock fl {};
  fl.l_type = F_WRLCK;
  CHECK(fcntl(a, F_OFD_SETLKW, &fl) == 0);
  struct flock un = fl;
  un.l_type = F_UNLCK;
  lets(
      "fcntl", [&] { CHECK(fcntl(b, F_OFD_SETLKW, &fl) == 0); }, [&] { CHECK(fcntl(a, F_OFD_SETLKW, &un) == 0); });
  CHECK(fcntl(b, F_OFD_SETLKW, &un) == 0);
  CHECK(fcntl(a, F_OFD_SETLKW, &fl) == 0);
  lets(
      "lockf", [&] { CHECK(lockf(b, F_LOCK, 1) == 0); }, [&] { CHECK(fcntl(a, F_OFD_SETLKW, &un) == 0); });
  close(a);
  close(b);
}

void threads() {
  std::atomic<bool> go = false;
  auto body = [&] {
    while (!go) usleep(1000);
  };
  auto start = [&] {
    go = false;
    pthread_t t;
    auto fn = [](void* p) -> void* { return (*static_cast<decltype(body)*>(p))(), nullptr; };
    CHECK(pthread_create(&t, nullptr, fn, &body) == 0);
    return t;
  };
  auto let = [&] { go = true; };
  timespec mono = in(CLOCK_MONOTONIC, 100000), real = in(CLOCK_REALTIME, 100000);
  pthread_t t = start();
  lets(
      "pthread_join", [&] { CHECK(pthread_join(t, nullptr) == 0); }, let);
  t = start();
  lets(
      "pthread_timedjoin_np", [&] { CHECK(pthread_timedjoin_np(t, nullptr, &real) == 0); }, let);
  t = start();
  lets(
      "pthread_clockjoin_np", [&] { CHECK(pthread_clockjoin_np(t, nullptr, CLOCK_MONOTONIC, &mono) == 0); }, let);
  go = false;
  thrd_t c;
  CHECK(thrd_create(
            &c, [](void* p) { return (*static_cast<decltype(body)*>(p))(), 7; }, &body) == thrd_success);
  int result = 0;
  lets(
      "thrd_join", [&] { CHECK(thrd_join(c, &result) == thrd_success && result == 7); }, let);
  timespec a_while{0, 5000000};
  letsFor("thrd_sleep", [&] { CHECK(thrd_sleep(&a_while, nullptr) == 0); });
  letsFor("nanosleep", [&] { CHECK(nanosleep(&a_while, nullptr) == 0); });
  letsFor("usleep", [&] { CHECK(usleep(5000) == 0); });
  letsFor("clock_nanosleep", [&] {
    timespec until = in(CLOCK_MONOTONIC, 50);
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == 0);
  });
}

void locks() {
  timespec mono = in(CLOCK_MONOTONIC, 100000), real = in(CLOCK_REALTIME, 100000);
  pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
  auto unlock = [&] { CHECK(pthread_mutex_unlock(&mu) == 0); };
  pthread_mutex_lock(&mu);
  lets(
      "pthread_mutex_lock", [&] { CHECK(pthread_mutex_lock(&mu) == 0); }, unlock);
  lets(
      "pthread_mutex_timedlock", [&] { CHECK(pthread_mutex_timedlock(&mu, &real) == 0); }, unlock);
  lets(
      "pthread_mutex_clocklock", [&] { CHECK(pthread_mutex_clocklock(&mu, CLOCK_MONOTONIC, &mono) == 0); }, unlock);
  pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
  bool ready;
  auto signal_ = [&] {
    pthread_mutex_lock(&mu);
    ready = true;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mu);
  };
  auto waits = [&](const char* name, auto f) {
    ready = false;
    lets(
        name,
        [&] {
          while (!ready) CHECK(f() == 0);
        },
        signal_);
  };
  waits("pthread_cond_wait", [&] { return pthread_cond_wait(&cond, &mu); });
  waits("pthread_cond_timedwait", [&] { return pthread_cond_timedwait(&cond, &mu, &real); });
  waits("pthread_cond_clockwait", [&] { return pthread_cond_clockwait(&cond, &mu, CLOCK_MONOTONIC, &mono); });
  unlock();

  pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
  auto rwcase = [&](const char* name, bool write, auto f) {
    // Held by a thread of libc's: a writer is a thread to libc.
    std::atomic<int> state = 0;
    std::thread holder([&] {
      write ? pthread_rwlock_rdlock(&rw) : pthread_rwlock_wrlock(&rw);
      state = 1;
      while (state != 2) usleep(1000);
      pthread_rwlock_unlock(&rw);
    });
    while (state != 1) usleep(1000);
    lets(
        name, [&] { CHECK(f() == 0); }, [&] { state = 2; });
    holder.join();
    CHECK(pthread_rwlock_unlock(&rw) == 0);
  };
  rwcase("pthread_rwlock_rdlock", false, [&] { return pthread_rwlock_rdlock(&rw); });
  rwcase("pthread_rwlock_wrlock", true, [&] { return pthread_rwlock_wrlock(&rw); });
  rwcase("pthread_rwlock_timedrdlock", false, [&] { return pthread_rwlock_timedrdlock(&rw, &real); });
  rwcase("pthread_rwlock_timedwrlock", true, [&] { return pthread_rwlock_timedwrlock(&rw, &real); });
  rwcase("pthread_rwlock_clockrdlock", false, [&] { return pthread_rwlock_clockrdlock(&rw, CLOCK_MONOTONIC, &mono); });
  rwcase("pthread_rwlock_clockwrlock", true, [&] { return pthread_rwlock_clockwrlock(&rw, CLOCK_MONOTONIC, &mono); });

  sem_t sem;
  sem_init(&sem, 0, 0);
  auto post = [&] { sem_post(&sem); };
  lets(
      "sem_wait", [&] { CHECK(sem_wait(&sem) == 0); }, post);
  lets(
      "sem_timedwait", [&] { CHECK(sem_timedwait(&sem, &real) == 0); }, post);
  lets(
      "sem_clockwait", [&] { CHECK(sem_clockwait(&sem, CLOCK_MONOTONIC, &mono) == 0); }, post);
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 2);
  lets(
      "pthread_barrier_wait", [&] { pthread_barrier_wait(&barrier); }, [&] { pthread_barrier_wait(&barrier); });
  pthread_spinlock_t spin;
  pthread_spin_init(&spin, 0);
  pthread_spin_lock(&spin);
  lets(
      "pthread_spin_lock", [&] { pthread_spin_lock(&spin); }, [&] { pthread_spin_unlock(&spin); });

  mtx_t m;
  CHECK(mtx_init(&m, mtx_timed) == thrd_success && mtx_lock(&m) == thrd_success && mtx_trylock(&m) == thrd_busy);
  auto munlock = [&] { CHECK(mtx_unlock(&m) == thrd_success); };
  lets(
      "mtx_lock", [&] { CHECK(mtx_lock(&m) == thrd_success); }, munlock);
  lets(
      "mtx_timedlock", [&] { CHECK(mtx_timedlock(&m, &real) == thrd_success); }, munlock);
  timespec soon = in(CLOCK_REALTIME, 20);
  CHECK(mtx_timedlock(&m, &soon) == thrd_timedout);
  cnd_t cnd;
  CHECK(cnd_init(&cnd) == thrd_success);
  auto wakes = [&] {
    mtx_lock(&m);
    ready = true;
    cnd_signal(&cnd);
    mtx_unlock(&m);
  };
  ready = false;
  lets(
      "cnd_wait",
      [&] {
        while (!ready) CHECK(cnd_wait(&cnd, &m) == thrd_success);
      },
      wakes);
  ready = false;
  lets(
      "cnd_timedwait",
      [&] {
        while (!ready) CHECK(cnd_timedwait(&cnd, &m, &real) == thrd_success);
      },
      wakes);
  munlock();
  static std::atomic<int> inside;
  static once_flag flag = ONCE_FLAG_INIT;
  auto once = [] {
    call_once(&flag, [] {
      inside = 1;
      while (inside != 2) runtime::Gosched();
    });
  };
  auto done = boot::make_chan<int>(1);
  boot::go([=] {
    once();
    done.send(1);
  });
  while (inside != 1) runtime::Gosched();
  lets("call_once", once, [] { inside = 2; });
  done.recv();

  // A reader's lock with a time limit: many goroutines, none is left out.
  std::shared_timed_mutex shared;
  std::atomic<int> got = 0;
  onGoroutines(60, [&](int i) {
    for (int k = 0; k < 20; k++) {
      if (i % 4 == 0) {
        if (!shared.try_lock_for(std::chrono::seconds(100))) continue;
        runtime::Gosched();
        shared.unlock();
      } else {
        if (!shared.try_lock_shared_for(std::chrono::seconds(100))) continue;
        runtime::Gosched();
        shared.unlock_shared();
      }
      got++;
    }
  });
  CHECK(got == 1200);
}

void others() {
  int fds[2];
  CHECK(pipe(fds) == 0);
  char c;
  aiocb cb{};
  cb.aio_fildes = fds[0];
  cb.aio_buf = &c;
  cb.aio_nbytes = 1;
  const aiocb* list[] = {&cb};
  CHECK(aio_read(&cb) == 0);
  lets(
      "aio_suspend", [&] { CHECK(aio_suspend(list, 1, nullptr) == 0); }, [&] { CHECK(write(fds[1], "x", 1) == 1); });
  close(fds[0]);
  close(fds[1]);
  std::atomic<int> word = 0;
  lets(
      "atomic::wait", [&] { word.wait(0); },
      [&] {
        word = 1;
        word.notify_all();
      });
}

}  // namespace

void main_main() {
  struct sigaction sa {};
  sa.sa_handler = onAlarm;
  sa.sa_flags = SA_ONSTACK;
  CHECK(sigaction(SIGALRM, &sa, nullptr) == 0);
  pipes();
  sockets();
  processes();
  signals();
  ipc();
  fileLocks();
  threads();
  locks();
  others();
  boot::println("all {} let the others run", count);
}
