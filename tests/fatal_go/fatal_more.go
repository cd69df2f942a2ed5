// The scenarios of progs/fatal_more.cpp as real Go has them (those of fatal_panics.cpp and fatal_signals.cpp are in the
// files beside this one): `check_fatal.py --ask-go` builds this program, runs each, and writes what it did into
// fatal_more.json.
package main

import (
	"errors"
	"math"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

func ud2()
func hlt()

type Colour int
type Value struct{ v int }
type T struct{ next *T }
type errT struct{}

func (errT) Error() string { return "errT's text" }

type both struct{}

func (both) Error() string  { return "as error" }
func (both) String() string { return "as string" }

var sink int

//go:noinline
func load(p *int) int { return *p }

//go:noinline
func deep(n int) int {
	if n == 0 {
		panic("deep")
	}
	return deep(n-1) + 1
}

//go:noinline
func depth(n int) int {
	if n == 0 {
		return 0
	}
	return depth(n-1) + 1
}

func kill(s syscall.Signal) { syscall.Kill(syscall.Getpid(), s) }
func tkill(s syscall.Signal) {
	syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(syscall.Getpid()), uintptr(syscall.Gettid()), uintptr(s))
}

//go:noinline
func unaligned(p uintptr) int { return *(*int)(unsafe.Pointer(p)) }

func mmap(prot, flags, fd uintptr) uintptr {
	p, _, _ := syscall.Syscall6(syscall.SYS_MMAP, 0, 4096, prot, flags, fd, 0)
	return p
}

var scenarios = map[string]func(){
	// deadlocks
	"more_dl_rwmutex_rlock": func() { var mu sync.RWMutex; mu.Lock(); mu.RLock() },
	"more_dl_rwmutex_lock":  func() { var mu sync.RWMutex; mu.RLock(); mu.Lock() },
	"more_dl_once":          func() { var o sync.Once; o.Do(func() { o.Do(func() {}) }) },
	"more_dl_range": func() {
		ch := make(chan int, 1)
		ch <- 1
		for v := range ch {
			println(v)
		}
	},
	"more_dl_nil_send": func() { var ch chan int; ch <- 1 },
	"more_dl_select_nil": func() {
		var a, b chan int
		select {
		case <-a:
		case b <- 1:
		}
	},
	"more_dl_select_one": func() {
		a := make(chan int)
		select {
		case <-a:
		}
	},
	"more_dl_locked": func() { runtime.LockOSThread(); <-make(chan int) },
	"more_dl_locked_g": func() {
		ch := make(chan int)
		go func() { runtime.LockOSThread(); <-ch }()
		runtime.Gosched()
		ch2 := make(chan int)
		<-ch2
	},
	"more_dl_after_sleep":   func() { time.Sleep(5 * time.Millisecond); <-make(chan int) },
	"more_dl_timer_stopped": func() { t := time.NewTimer(20 * time.Millisecond); t.Stop(); <-t.C },
	"more_dl_in_defer":      func() { defer func() { <-make(chan int) }(); panic("x") },
	"more_dl_cond_two": func() {
		var mu sync.Mutex
		c := sync.NewCond(&mu)
		go func() { mu.Lock(); c.Wait() }()
		mu.Lock()
		c.Wait()
	},
	"more_dl_main_goexit_others": func() { go func() { select {} }(); runtime.Goexit() },
	"more_dl_wg_never": func() {
		var wg sync.WaitGroup
		wg.Add(2)
		go func() { wg.Done() }()
		wg.Wait()
	},
	"more_dl_buffered_full": func() { ch := make(chan int, 2); ch <- 1; ch <- 2; ch <- 3 },
	"more_dl_all_mutex": func() {
		var mu sync.Mutex
		mu.Lock()
		for i := 0; i < 3; i++ {
			go func() { mu.Lock() }()
		}
		mu.Lock()
	},
	// panics
	"more_nested3": func() { defer func() { panic("3") }(); defer func() { panic("2") }(); panic("1") },
	"more_nested_inner": func() {
		defer func() {
			defer func() { panic("3") }()
			panic("2")
		}()
		panic("1")
	},
	"more_repanic":       func() { defer func() { r := recover(); panic(r) }(); panic("first") },
	"more_repanic_other": func() { defer func() { recover(); panic("second") }(); panic("first") },
	"more_inner_recovered": func() {
		defer func() {
			defer func() { println("inner:", recover().(string)) }()
			panic("second")
		}()
		panic("first")
	},
	"more_replaced_recovered": func() {
		defer func() { println("got", recover().(string)) }()
		defer func() { panic("second") }()
		panic("first")
	},
	"more_panic_in_goexit": func() {
		go func() {
			defer func() { println("outer deferred") }()
			defer func() { panic("x") }()
			runtime.Goexit()
		}()
		select {}
	},
	"more_panic_in_goexit_main": func() { defer func() { panic("x") }(); runtime.Goexit() },
	"more_goexit_in_defer": func() {
		done := make(chan int)
		go func() {
			defer close(done)
			defer func() { println("outer deferred") }()
			defer func() { runtime.Goexit() }()
			panic("x")
		}()
		<-done
		println("main goes on")
	},
	"more_goexit_in_goexit": func() {
		done := make(chan int)
		go func() {
			defer close(done)
			defer func() { runtime.Goexit() }()
			runtime.Goexit()
		}()
		<-done
		println("main goes on")
	},
	"more_recovered_in_goexit": func() {
		done := make(chan int)
		go func() {
			defer close(done)
			defer func() {
				defer func() { println("inner", recover().(string)) }()
				panic("x")
			}()
			runtime.Goexit()
			println("not reached")
		}()
		<-done
		println("main goes on")
	},
	"more_nil_then_panic": func() { defer func() { panic("second") }(); load(nil) },
	"more_panic_then_nil": func() { defer func() { load(nil) }(); panic("first") },
	"more_nil_then_nil":   func() { defer func() { load(nil) }(); load(nil) },
	"more_nil_then_div":   func() { defer func() { z := sink; println(1 / z) }(); load(nil) },
	"more_nil_recovered_then_panic": func() {
		func() { defer func() { recover() }(); load(nil) }()
		panic("later")
	},
	"more_error_then_panic": func() { defer func() { panic("second") }(); panic(errors.New("an error")) },
	"more_panic_then_error": func() { defer func() { panic(errors.New("an error")) }(); panic("first") },
	"more_exit_in_defer":    func() { defer os.Exit(4); panic("x") },
	"more_print_in_defer":   func() { defer println("deferred 2"); defer println("deferred 1"); panic("x") },
	"more_empty":            func() { panic("") },
	"more_neg":              func() { panic(-7) },
	"more_int8":             func() { panic(int8(-5)) },
	"more_uint64":           func() { panic(uint64(math.MaxUint64)) },
	"more_float32":          func() { panic(float32(0.1)) },
	"more_float_big":        func() { panic(1e300) },
	"more_float_small":      func() { panic(-1.25e-7) },
	"more_float_inf":        func() { panic(math.Inf(-1)) },
	"more_float_nan":        func() { panic(math.NaN()) },
	"more_float_negzero":    func() { panic(math.Copysign(0, -1)) },
	"more_float_round":      func() { panic(9.9999999) },
	"more_enum":             func() { panic(Colour(3)) },
	"more_struct":           func() { panic(Value{1}) },
	"more_pointer":          func() { panic(&Value{1}) },
	"more_errtype":          func() { panic(errT{}) },
	"more_both":             func() { panic(both{}) },
	"more_three_lines":      func() { panic("a\n\nb\n") },
	"more_deep":             func() { deep(1000) },
	"more_deep_g":           func() { go func() { deep(1000) }(); select {} },
	"more_locked_panic":     func() { runtime.LockOSThread(); panic("x") },
	"more_recover_1000": func() {
		n := 0
		for i := 0; i < 1000; i++ {
			func() { defer func() { recover(); n++ }(); panic(i) }()
		}
		println(n)
	},
	"more_g_of_g":    func() { go func() { go func() { panic("inner") }(); select {} }(); select {} },
	"more_nil_func":  func() { var f func(); f() },
	"more_nil_field": func() { var p *T; sink = load((*int)(unsafe.Pointer(&p.next))) },
	"more_min_div": func() {
		a, b := int64(math.MinInt64), int64(sink-1)
		println(a/b, a%b)
		c, d := int32(math.MinInt32), int32(sink-1)
		println(c/d, c%d)
	},
	"more_div_defers": func() { defer println("deferred"); println(1 / sink) },
	"more_mod":        func() { println(7 % sink) },
	"more_div_u":      func() { println(uint64(7) / uint64(sink)) },
	// misuse
	"more_rw_unlock":      func() { var mu sync.RWMutex; mu.Unlock() },
	"more_rw_runlock_w":   func() { var mu sync.RWMutex; mu.Lock(); mu.RUnlock() },
	"more_rw_unlock_r":    func() { var mu sync.RWMutex; mu.RLock(); mu.Unlock() },
	"more_close_nil":      func() { var ch chan int; close(ch) },
	"more_makechan_large": func() { _ = make(chan [64]int, math.MaxInt64-int64(sink)) },
	"more_unlock_twice":   func() { var mu sync.Mutex; mu.Lock(); mu.Unlock(); mu.Unlock() },
	"more_unlock_g": func() {
		var mu sync.Mutex
		go func() { mu.Unlock() }()
		select {}
	},
	"more_send_closed_blocked": func() {
		ch := make(chan int)
		go func() { ch <- 1 }()
		time.Sleep(5 * time.Millisecond)
		close(ch)
		time.Sleep(time.Second)
	},
	"more_select_send_closed": func() {
		ch, other := make(chan int), make(chan int)
		close(ch)
		select {
		case ch <- 1:
		case <-other:
		}
	},
	"more_close_blocked_select": func() {
		ch, other := make(chan int), make(chan int)
		go func() {
			select {
			case ch <- 1:
			case <-other:
			}
		}()
		time.Sleep(5 * time.Millisecond)
		close(ch)
		time.Sleep(time.Second)
	},
	"more_ticker_zero":  func() { time.NewTicker(time.Duration(sink)) },
	"more_ticker_reset": func() { time.NewTicker(1).Reset(time.Duration(sink)) },
	"more_timer_stop":   func() { var t time.Timer; t.Stop() },
	"more_timer_reset":  func() { var t time.Timer; t.Reset(1) },
	"more_wg_add":       func() { var wg sync.WaitGroup; wg.Add(1); wg.Add(-2) },
	"more_once_panics": func() {
		var o sync.Once
		func() { defer func() { recover() }(); o.Do(func() { panic("x") }) }()
		o.Do(func() { println("never") })
		println("end")
	},
	"more_maxstack":        func() { debug.SetMaxStack(100000); println(depth(1000000)) },
	"more_gomaxprocs_many": func() { println(runtime.GOMAXPROCS(7), runtime.GOMAXPROCS(-1), runtime.GOMAXPROCS(0)) },
	// exits
	"more_exit_neg": func() { os.Exit(-1) },
	"more_exit_511": func() { os.Exit(511) },
	"more_main_in_read": func() {
		r, _, _ := os.Pipe()
		go func() { var b [1]byte; r.Read(b[:]) }()
		time.Sleep(5 * time.Millisecond)
		println("end")
	},
	"more_exit_in_goexit_defer": func() { defer os.Exit(9); runtime.Goexit() },
	// signals and faults
	"more_tkill_segv": func() { runtime.LockOSThread(); tkill(syscall.SIGSEGV); time.Sleep(time.Second) },
	"more_tkill_fpe":  func() { runtime.LockOSThread(); tkill(syscall.SIGFPE); time.Sleep(time.Second) },
	"more_tkill_abrt": func() { runtime.LockOSThread(); tkill(syscall.SIGABRT); time.Sleep(time.Second) },
	"more_tkill_term": func() { runtime.LockOSThread(); tkill(syscall.SIGTERM); time.Sleep(time.Second) },
	"more_tkill_usr1": func() {
		runtime.LockOSThread()
		tkill(syscall.SIGUSR1)
		time.Sleep(20 * time.Millisecond)
		println("lived")
	},
	"more_kill_usr1":   func() { kill(syscall.SIGUSR1); time.Sleep(time.Second) },
	"more_kill_stkflt": func() { kill(syscall.SIGSTKFLT); time.Sleep(time.Second) },
	"more_kill_urg": func() {
		kill(syscall.SIGURG)
		kill(syscall.SIGWINCH)
		kill(syscall.SIGCHLD)
		kill(syscall.SIGCONT)
		time.Sleep(20 * time.Millisecond)
		println("lived")
	},
	"more_ud2":          func() { ud2() },
	"more_hlt":          func() { hlt() },
	"more_noncanonical": func() { println(unaligned(0x8000000000000000 + uintptr(sink))) },
	"more_protnone":     func() { println(unaligned(mmap(0, 0x22, ^uintptr(0)))) },
	"more_sigbus": func() {
		fd, _, _ := syscall.Syscall(319, uintptr(unsafe.Pointer(&[]byte("x\x00")[0])), 0, 0)
		println(unaligned(mmap(1, 1, fd)))
	},
	"more_fault_caught": func() {
		defer func() { println("never") }()
		println(unaligned(0xdead000))
	},
	"more_addr_4095": func() { println(unaligned(4088 + uintptr(sink))) },
	"more_addr_4096": func() { println(unaligned(4096 + uintptr(sink))) },
	"more_notify_quit": func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGQUIT)
		kill(syscall.SIGQUIT)
		println((<-c).String())
	},
	"more_notify_abrt": func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGABRT, syscall.SIGSEGV)
		kill(syscall.SIGABRT)
		println((<-c).String())
		kill(syscall.SIGSEGV)
		println((<-c).String())
	},
	"more_notify_then_nil": func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGSEGV)
		load(nil)
	},
	"more_ignore_reset": func() {
		signal.Ignore(syscall.SIGTERM)
		kill(syscall.SIGTERM)
		time.Sleep(5 * time.Millisecond)
		println("ignored", signal.Ignored(syscall.SIGTERM))
		signal.Reset(syscall.SIGTERM)
		kill(syscall.SIGTERM)
		time.Sleep(time.Second)
	},
	"more_notify_stop_dies": func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGHUP)
		kill(syscall.SIGHUP)
		println((<-c).String())
		signal.Stop(c)
		kill(syscall.SIGHUP)
		time.Sleep(time.Second)
	},
	"more_notify_pipe": func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGPIPE)
		kill(syscall.SIGPIPE)
		println((<-c).String())
	},
	"more_kill_pipe": func() { kill(syscall.SIGPIPE); time.Sleep(20 * time.Millisecond); println("lived") },
	"more_quit_syscall": func() {
		go func() { time.Sleep(10 * time.Millisecond); kill(syscall.SIGQUIT) }()
		var b [1]byte
		var p [2]int
		syscall.Pipe(p[:])
		syscall.Read(p[0], b[:])
	},
	"more_quit_self": func() {
		runtime.LockOSThread()
		tkill(syscall.SIGQUIT)
		for {
		}
	},
	"more_abort_deep": func() {
		runtime.LockOSThread()
		var f func(n int) int
		f = func(n int) int {
			if n == 0 {
				tkill(syscall.SIGABRT)
				for {
				}
			}
			return f(n-1) + 1
		}
		f(500)
	},
	"more_recover_nil_g": func() {
		done := make(chan int)
		for i := 0; i < 4; i++ {
			go func() { defer func() { recover(); done <- 1 }(); load(nil) }()
		}
		for i := 0; i < 4; i++ {
			<-done
		}
		println("ok")
	},
}

func main() {
	f := scenarios[os.Getenv("SCENARIO")]
	if f == nil {
		for name := range scenarios {
			os.Stdout.WriteString(name + "\n")
		}
		return
	}
	f()
}
