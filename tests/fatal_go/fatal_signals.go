// Signals: the scenarios of progs/fatal_signals.cpp.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

//go:noinline
func spin() {
	for {
		sink++
	}
}

func ends() (r, w int) {
	var p [2]int
	syscall.Pipe2(p[:], syscall.O_CLOEXEC)
	return p[0], p[1]
}

// Descriptor fd becomes a pipe that nobody reads.
func broken(fd int) {
	r, w := ends()
	syscall.Close(r)
	syscall.Dup3(w, fd, 0)
}

func write(fd int) {
	f := os.Stdout
	if fd != 1 {
		f = os.Stderr
	}
	_, err := f.Write([]byte("x"))
	if err != nil {
		os.Exit(40 + int(err.(*os.PathError).Err.(syscall.Errno)))
	}
}

func queue(s syscall.Signal) {
	var info [128]byte
	info[0] = byte(s)
	info[8], info[9], info[10], info[11] = 255, 255, 255, 255 // SI_QUEUE
	syscall.RawSyscall(syscall.SYS_RT_SIGQUEUEINFO, uintptr(syscall.Getpid()), uintptr(s), uintptrOf(&info))
}

func init() {
	for name, f := range map[string]func(){
		"sig_kill_bus":  func() { kill(syscall.SIGBUS); nap(3000) },
		"sig_kill_ill":  func() { kill(syscall.SIGILL); nap(3000) },
		"sig_kill_trap": func() { kill(syscall.SIGTRAP); nap(3000) },
		"sig_kill_sys":  func() { kill(syscall.SIGSYS); nap(3000) },
		"sig_kill_segv": func() { kill(syscall.SIGSEGV); nap(3000) },
		"sig_kill_fpe":  func() { kill(syscall.SIGFPE); nap(3000) },
		"sig_kill_hup":  func() { kill(syscall.SIGHUP); nap(3000) },
		"sig_kill_int":  func() { kill(syscall.SIGINT); nap(3000) },
		"sig_kill_usr2": func() { kill(syscall.SIGUSR2); nap(30); println("lived") },
		"sig_kill_xfsz": func() { kill(syscall.SIGXFSZ); nap(30); println("lived") },
		"sig_kill_prof": func() { kill(syscall.SIGPROF); nap(30); println("lived") },
		"sig_kill_rt40": func() { kill(syscall.Signal(40)); nap(30); println("lived") },
		"sig_kill_32":   func() { kill(syscall.Signal(32)); nap(30); println("lived") },
		"sig_kill_33":   func() { kill(syscall.Signal(33)); nap(30); println("lived") },
		"sig_busy_term": func() { go func() { nap(5); kill(syscall.SIGTERM) }(); spin() },
		"sig_busy_abrt": func() { go func() { nap(5); kill(syscall.SIGABRT) }(); spin() },
		"sig_g_quit":    func() { go func() { kill(syscall.SIGQUIT) }(); nap(3000) },
		"sig_chan_segv": func() { go func() { nap(5); kill(syscall.SIGSEGV) }(); select {} },
		"sig_locked_quit": func() {
			runtime.LockOSThread()
			tkill(syscall.SIGQUIT)
			spin()
		},
		"sig_deep_quit": func() {
			runtime.LockOSThread()
			var f func(n int) int
			f = func(n int) int {
				if n == 0 {
					tkill(syscall.SIGQUIT)
					spin()
				}
				return f(n-1) + 1
			}
			f(50000)
		},
		"sig_queue_usr1": func() { queue(syscall.SIGUSR1); nap(30); println("lived") },
		"sig_queue_term": func() { queue(syscall.SIGTERM); nap(3000) },
		"sig_queue_quit": func() { queue(syscall.SIGQUIT); nap(3000) },
		// Notify, Stop, Reset, Ignore
		"sig_notify_all": func() {
			c := make(chan os.Signal, 10)
			signal.Notify(c)
			for _, s := range []syscall.Signal{1, 2, 3, 6, 8, 10, 11, 12, 13, 14, 15, 17, 18, 24, 29, 40, 64} {
				kill(s)
				for got := range c {
					if got == syscall.SIGURG { // of the runtime's own making
						continue
					}
					println(got.String())
					break
				}
			}
		},
		"sig_notify_two": func() {
			a, b := make(chan os.Signal, 1), make(chan os.Signal, 1)
			signal.Notify(a, syscall.SIGUSR1, syscall.SIGUSR2)
			signal.Notify(b, syscall.SIGUSR1)
			kill(syscall.SIGUSR1)
			println((<-a).String(), (<-b).String())
			signal.Stop(a)
			kill(syscall.SIGUSR1)
			println((<-b).String(), len(a))
			kill(syscall.SIGUSR2)
			nap(20)
			println("end", len(a))
		},
		"sig_notify_full": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGUSR1)
			for i := 0; i < 5; i++ {
				kill(syscall.SIGUSR1)
				nap(5)
			}
			println(len(c))
		},
		"sig_notify_unbuffered": func() {
			c := make(chan os.Signal)
			signal.Notify(c, syscall.SIGUSR1)
			kill(syscall.SIGUSR1)
			nap(20)
			select {
			case <-c:
				println("got")
			default:
				println("missed")
			}
		},
		"sig_notify_more": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGUSR1)
			signal.Notify(c, syscall.SIGTERM)
			for _, s := range []syscall.Signal{10, 15} {
				kill(s)
				println((<-c).String())
			}
			signal.Reset(syscall.SIGTERM)
			kill(syscall.SIGUSR1)
			println((<-c).String())
			kill(syscall.SIGTERM)
			nap(3000)
		},
		"sig_notify_reset_all": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGINT, syscall.SIGQUIT)
			signal.Reset()
			kill(syscall.SIGINT)
			nap(3000)
		},
		"sig_notify_stop_quit": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGQUIT)
			signal.Stop(c)
			kill(syscall.SIGQUIT)
			nap(3000)
		},
		"sig_notify_nil": func() { signal.Notify(nil, syscall.SIGINT) },
		"sig_notify_kill": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGKILL, syscall.SIGSTOP)
			kill(syscall.SIGKILL)
			nap(3000)
		},
		"sig_notify_deadlock": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGUSR1)
			go func() { nap(50); println("no deadlock"); os.Exit(0) }()
			<-c
		},
		"sig_notify_stop_deadlock": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGUSR1)
			signal.Stop(c)
			go func() { nap(50); println("no deadlock"); os.Exit(0) }()
			<-c
		},
		"sig_notify_segv_fault": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c)
			println(unaligned(0xdead000 + uintptr(sink)))
		},
		"sig_ignore_all": func() {
			signal.Ignore()
			for _, s := range []syscall.Signal{1, 2, 3, 6, 10, 12, 13, 14, 15, 40} {
				kill(s)
			}
			nap(20)
			println("lived")
		},
		"sig_ignore_segv_kill":  func() { signal.Ignore(syscall.SIGSEGV); kill(syscall.SIGSEGV); nap(30); println("lived") },
		"sig_ignore_segv_fault": func() { signal.Ignore(syscall.SIGSEGV); load(nil) },
		"sig_ignore_notify": func() {
			signal.Ignore(syscall.SIGTERM)
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGTERM)
			println(signal.Ignored(syscall.SIGTERM))
			kill(syscall.SIGTERM)
			println((<-c).String())
			signal.Stop(c)
			kill(syscall.SIGTERM)
			nap(3000)
		},
		"sig_notify_ignore": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGTERM)
			signal.Ignore(syscall.SIGTERM)
			kill(syscall.SIGTERM)
			nap(20)
			println(len(c), signal.Ignored(syscall.SIGTERM))
		},
		"sig_ignore_stop": func() {
			signal.Ignore(syscall.SIGHUP)
			c := make(chan os.Signal, 1)
			signal.Stop(c)
			kill(syscall.SIGHUP)
			nap(20)
			println("lived")
		},
		"sig_ignored_none": func() {
			println(signal.Ignored(syscall.SIGTERM), signal.Ignored(syscall.SIGHUP), signal.Ignored(syscall.SIGINT))
		},
		// started with SIGHUP and SIGINT ignored
		"sig_nohup_ignored": func() {
			println(signal.Ignored(syscall.SIGTERM), signal.Ignored(syscall.SIGHUP), signal.Ignored(syscall.SIGINT))
		},
		"sig_nohup_hup": func() { kill(syscall.SIGHUP); kill(syscall.SIGINT); nap(30); println("lived") },
		"sig_nohup_notify": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGHUP)
			println(signal.Ignored(syscall.SIGHUP))
			kill(syscall.SIGHUP)
			println((<-c).String())
			signal.Stop(c)
			kill(syscall.SIGHUP)
			nap(30)
			println("lived", signal.Ignored(syscall.SIGHUP))
		},
		"sig_nohup_notify_all": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c)
			kill(syscall.SIGHUP)
			println((<-c).String())
			signal.Reset()
			kill(syscall.SIGHUP)
			kill(syscall.SIGINT)
			nap(30)
			println("lived")
		},
		"sig_nohup_usr1": func() { kill(syscall.SIGUSR1); nap(3000) },
		// pipes
		"sig_pipe_stdout": func() { broken(1); write(1); println("lived") },
		"sig_pipe_stderr": func() { broken(2); write(2); os.Exit(9) },
		"sig_pipe_notify": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGPIPE)
			broken(1)
			_, err := os.Stdout.Write([]byte("x"))
			println(err != nil)
			println((<-c).String())
		},
		"sig_pipe_ignore": func() {
			signal.Ignore(syscall.SIGPIPE)
			broken(1)
			_, err := os.Stdout.Write([]byte("x"))
			println(err != nil)
		},
		"sig_pipe_reset": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGPIPE)
			signal.Stop(c)
			broken(1)
			os.Stdout.Write([]byte("x"))
			println("lived")
		},
		"sig_pipe_eprintln": func() { broken(2); fmt.Fprintln(os.Stderr, "x"); os.Exit(9) },
		"sig_pipe_panic":    func() { broken(2); panic("nobody reads this") },
		"sig_pipe_raw":      func() { broken(1); syscall.Write(1, []byte("x")); println("lived") },
		"sig_pipe_g": func() {
			broken(1)
			go func() { os.Stdout.Write([]byte("x")) }()
			time.Sleep(3 * time.Second)
		},
		// masks
		"sig_blocked_usr1": func() { kill(syscall.SIGUSR1); nap(30); println("lived") },
		"sig_blocked_usr1_notify": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGUSR1)
			kill(syscall.SIGUSR1)
			println((<-c).String())
		},
		"sig_blocked_term": func() { kill(syscall.SIGTERM); nap(3000) },
		"sig_blocked_segv": func() { load(nil) },
	} {
		scenarios[name] = f
	}
}

func uintptrOf(p *[128]byte) uintptr { return uintptr(unsafe.Pointer(p)) }
