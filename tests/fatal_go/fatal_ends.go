// Ends that come late, together or from deep down: the scenarios of progs/fatal_ends.cpp.
package main

import (
	"errors"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

type coder struct{ code int }

func (c coder) Error() string { return "code " + string(rune('0'+c.code)) }

type outer struct{ inner *inner }
type inner struct{ f func() int }

//go:noinline
func deepPanic(n int) int {
	if n == 0 {
		panic("from the bottom")
	}
	return deepPanic(n-1) + sink
}

//go:noinline
func deepDefer(n int) int {
	defer func() { sink++ }()
	if n == 0 {
		panic("with deferred functions")
	}
	return deepDefer(n-1) + 1
}

//go:noinline
func deepNil(n int) int {
	if n == 0 {
		return load(nil)
	}
	return deepNil(n-1) + sink
}

//go:noinline
func deepBlock(n int) int {
	if n == 0 {
		<-make(chan int)
	}
	return deepBlock(n-1) + sink
}

//go:noinline
func deepGoexit(n int) int {
	if n == 0 {
		runtime.Goexit()
	}
	return deepGoexit(n-1) + sink
}

func states(text string) {
	found := regexp.MustCompile(`(?m)^goroutine \d+ \[(.*)\]:$`).FindAllStringSubmatch(text, -1)
	var all []string
	for _, f := range found {
		all = append(all, f[1])
	}
	sort.Strings(all)
	println(strings.Join(all, "; "))
}

func startAll(wait func()) {
	var mu sync.Mutex
	c, full := make(chan int), make(chan int, 1)
	full <- 1
	go func() { <-c }()
	go func() { full <- 1 }()
	go func() {
		select {
		case <-c:
		case full <- 2:
		}
	}()
	go func() { select {} }()
	go func() { time.Sleep(time.Hour) }()
	go func() { var n chan int; <-n }()
	go func() { var n chan int; n <- 1 }()
	go func() { var l sync.Mutex; l.Lock(); sync.NewCond(&l).Wait() }()
	go func() { runtime.LockOSThread(); <-c }()
	go func() { var wg sync.WaitGroup; wg.Add(1); wg.Wait() }()
	nap(30)
	mu.Lock()
	go func() { mu.Lock() }()
	nap(30)
	wait()
}

func init() {
	for name, f := range map[string]func(){
		// functions that are nil
		"end_go_nil":      func() { var f func(); go f(); nap(1000) },
		"end_go_nil_g":    func() { go func() { var f func(); go f() }(); nap(1000) },
		"end_nil_func_g":  func() { go func() { var f func(); f() }(); nap(1000) },
		"end_nil_chain":   func() { o := &outer{}; println(o.inner.f()) },
		"end_nil_member":  func() { o := &outer{&inner{}}; println(o.inner.f()) },
		"end_nil_caught":  func() { try(func() { var f func(); f() }); println("on") },
		"end_afterfunc_x": func() { time.AfterFunc(time.Millisecond, func() { os.Exit(14) }); select {} },
		// from deep down
		"end_deep_panic":   func() { deepPanic(50000) },
		"end_deep_caught":  func() { try(func() { deepPanic(50000) }); println("caught") },
		"end_deep_defers":  func() { deepDefer(5000) },
		"end_deep_defer_n": func() { try(func() { deepDefer(5000) }); println(sink) },
		"end_deep_nil":     func() { deepNil(50000) },
		"end_deep_nil_g":   func() { go func() { deepNil(50000) }(); nap(3000) },
		"end_deep_block":   func() { deepBlock(50000) },
		"end_deep_goexit": func() {
			done := make(chan int)
			go func() { <-done; os.Exit(3) }()
			defer func() { println("deferred"); close(done) }()
			deepGoexit(50000)
		},
		"end_deep_exit": func() { defer os.Exit(8); deepPanic(10000) },
		"end_overflow_locked": func() {
			runtime.LockOSThread()
			println(even(0))
		},
		"end_overflow_small": func() {
			debug.SetMaxStack(1 << 16)
			println(even(0))
		},
		// many at once
		"end_many_caught": func() {
			var wg sync.WaitGroup
			for i := 0; i < 1000; i++ {
				i := i
				wg.Add(1)
				go func() { defer wg.Done(); try(func() { panic(i) }) }()
			}
			wg.Wait()
			println("ok")
		},
		"end_many_same": func() {
			for i := 0; i < 50; i++ {
				go func() { panic("same") }()
			}
			nap(3000)
		},
		"end_many_nil": func() {
			for i := 0; i < 50; i++ {
				go func() { load(nil) }()
			}
			nap(3000)
		},
		"end_panic_beside_exit": func() {
			go func() { nap(100); panic("late") }()
			nap(5)
			os.Exit(6)
		},
		"end_panic_of_locked": func() {
			done := make(chan int)
			go func() { runtime.LockOSThread(); defer close(done); try(func() { panic("x") }) }()
			<-done
			println("went on")
		},
		// errors
		"end_error_value": func() { panic(coder{7}) },
		"end_error_caught": func() {
			defer func() { println("got", recover().(error).Error()) }()
			panic(coder{3})
		},
		"end_div_text": func() {
			defer func() { println("got", recover().(error).Error()) }()
			println(1 / sink)
		},
		"end_nil_text": func() {
			defer func() { println("got", recover().(error).Error()) }()
			load(nil)
		},
		"end_close_text": func() {
			defer func() { println("got", recover().(error).Error()) }()
			var c chan int
			close(c)
		},
		"end_send_text": func() {
			defer func() { println("got", recover().(error).Error()) }()
			c := make(chan int, 1)
			close(c)
			c <- 1
		},
		"end_wg_text": func() {
			defer func() { println("got", recover().(string)) }()
			var wg sync.WaitGroup
			wg.Done()
		},
		"end_umod8":  func() { println(u8() % u8()) },
		"end_umod16": func() { println(u16() % u16()) },
		"end_umod32": func() { println(u32() % u32()) },
		"end_udiv64": func() { println(uint64(sink+5) / uint64(sink)) },
		"end_mod64":  func() { println(int64(sink+5) % int64(sink)) },
		"end_div_neg": func() {
			a, b := sink-7, sink+2
			println(a/b, a%b, -a/-b, -a%-b)
		},
		"end_div_loop": func() {
			n := 0
			for i := -3; i <= 3; i++ {
				try(func() { n += 12 / (i + sink) })
			}
			println(n)
		},
		"end_panic_in_handler": func() {
			defer func() {
				if r := recover(); r != nil {
					load(nil)
				}
			}()
			panic(errors.New("first"))
		},
		"end_catch_other": func() {
			defer func() { println("outer", recover().(string)) }()
			func() {
				defer func() { recover(); panic("b") }()
				panic("a")
			}()
		},
		// Goexit
		"end_goexit_main_exit": func() { go func() { nap(10); os.Exit(5) }(); runtime.Goexit() },
		"end_goexit_locked":    func() { runtime.LockOSThread(); runtime.Goexit() },
		"end_goexit_locked2": func() {
			go func() { nap(10); println("still here"); os.Exit(0) }()
			runtime.LockOSThread()
			runtime.Goexit()
		},
		"end_goexit_defers": func() {
			go func() {
				defer println("two")
				defer func() { println("one"); runtime.Goexit() }()
				runtime.Goexit()
			}()
			nap(20)
			println("main")
		},
		"end_goexit_wg": func() {
			var wg sync.WaitGroup
			for i := 0; i < 100; i++ {
				wg.Add(1)
				go func() { defer wg.Done(); runtime.Goexit() }()
			}
			wg.Wait()
			nap(20)
			println(runtime.NumGoroutine())
		},
		// what all goroutines do
		"end_stack_all": func() {
			startAll(func() {
				b := make([]byte, 1<<16)
				states(string(b[:runtime.Stack(b, true)]))
			})
		},
		"end_stack_cut": func() {
			b := make([]byte, 15)
			println(runtime.Stack(b, true), string(b))
		},
		"end_quit_all":  func() { startAll(func() { go func() { nap(20); kill(syscall.SIGQUIT) }(); nap(3000) }) },
		"end_panic_all": func() { startAll(func() { debug.SetTraceback("all"); panic("all") }) },
		"end_dl_timer_first": func() {
			time.AfterFunc(20*time.Millisecond, func() { println("fired") })
			<-make(chan int)
		},
		"end_dl_stopped_ticker": func() {
			t := time.NewTicker(time.Millisecond)
			<-t.C
			t.Stop()
			select {}
		},
		"end_dl_200_mutex": func() {
			var mu sync.Mutex
			mu.Lock()
			for i := 0; i < 200; i++ {
				go mu.Lock()
			}
			mu.Lock()
		},
		"end_dl_ring": func() {
			var a, b sync.WaitGroup
			a.Add(1)
			b.Add(1)
			go func() { a.Wait(); b.Done() }()
			b.Wait()
			a.Done()
		},
		// signals
		"end_sig_burst": func() {
			c := make(chan os.Signal, 64)
			signal.Notify(c, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM)
			for i := 0; i < 20; i++ {
				kill(syscall.SIGUSR1)
				kill(syscall.SIGUSR2)
			}
			kill(syscall.SIGTERM)
			for s := range c {
				if s == syscall.SIGTERM {
					break
				}
			}
			println("terminated")
		},
		"end_sig_exit": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGTERM)
			go func() { <-c; os.Exit(143) }()
			kill(syscall.SIGTERM)
			select {}
		},
		"end_sig_panic": func() {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGHUP)
			go func() { <-c; panic("hung up") }()
			kill(syscall.SIGHUP)
			nap(3000)
		},
		"end_sig_alarm": func() { kill(syscall.SIGALRM); nap(20); println("lived") },
		"end_sig_segv_busy": func() {
			go func() { nap(5); kill(syscall.SIGSEGV) }()
			for {
				sink++
			}
		},
		"end_sig_fpe_busy": func() {
			go func() { nap(5); kill(syscall.SIGFPE) }()
			for {
				sink++
			}
		},
		"end_sig_hup_chan": func() { go func() { nap(5); kill(syscall.SIGHUP) }(); nap(3000) },
		"end_sig_pipe_chan": func() {
			go func() { nap(5); kill(syscall.SIGPIPE) }()
			nap(30)
			println("lived")
		},
	} {
		scenarios[name] = f
	}
}
