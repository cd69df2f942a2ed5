// Panics, deadlocks and limits: the scenarios of progs/fatal_panics.cpp.
package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

type lateErr struct{ text string }

func (e *lateErr) Error() string { return e.text }

type ptrStringer struct{ n int }

func (s *ptrStringer) String() string { return fmt.Sprintf("stringer %d", s.n) }

type badErr struct{}

func (badErr) Error() string { panic("inner") }

type badErrInt struct{}

func (badErrInt) Error() string { panic(7) }

type node struct {
	pad  [500]int
	next *node
}

func (n *node) get() *node { return n.next }

//go:noinline
func even(n int) int {
	if n < 0 {
		return 0
	}
	var a [200]int
	a[n%200] = n
	return odd(n+1) + a[(n+1)%200]
}

//go:noinline
func odd(n int) int {
	var a [200]int
	a[n%200] = n
	return even(n+1) + a[(n+1)%200]
}

//go:noinline
func wide(n int) int {
	var a [400]int
	a[n%400] = n
	return wide(n+1) + a[(n+1)%400]
}

func i8() int8     { return int8(sink) }
func i16() int16   { return int16(sink) }
func i32() int32   { return int32(sink) }
func u8() uint8    { return uint8(sink) }
func u16() uint16  { return uint16(sink) }
func u32() uint32  { return uint32(sink) }
func nap(n int)    { time.Sleep(time.Duration(n) * time.Millisecond) }
func try(f func()) { defer func() { recover() }(); f() }

func init() {
	for name, f := range map[string]func(){
		// values
		"pan_int16":      func() { panic(int16(-300)) },
		"pan_int32":      func() { panic(int32(math.MinInt32)) },
		"pan_int64":      func() { panic(int64(math.MinInt64)) },
		"pan_uint8":      func() { panic(uint8(200)) },
		"pan_uint16":     func() { panic(uint16(65535)) },
		"pan_uint32":     func() { panic(uint32(math.MaxUint32)) },
		"pan_uintptr":    func() { panic(uintptr(4096)) },
		"pan_char":       func() { panic(byte('a')) },
		"pan_false":      func() { panic(false) },
		"pan_inf":        func() { panic(math.Inf(1)) },
		"pan_max":        func() { panic(math.MaxFloat64) },
		"pan_denormal":   func() { panic(math.SmallestNonzeroFloat64) },
		"pan_float32max": func() { panic(float32(math.MaxFloat32)) },
		"pan_third":      func() { panic(1.0 / 3) },
		"pan_complex":    func() { panic(complex(1.5, -2)) },
		"pan_complex64":  func() { panic(complex64(complex(0.1, math.Inf(1)))) },
		"pan_zero_byte":  func() { panic("a\x00b") },
		"pan_bad_utf8":   func() { panic("\xff\xfe é 世界 \t|") },
		"pan_long":       func() { panic(strings.Repeat("long ", 20000)) },
		"pan_lines100":   func() { panic(strings.Repeat("line\n", 100)) },
		"pan_percent":    func() { panic("100% {} %s %d {0}") },
		"pan_err_ptr":    func() { panic(&lateErr{"by pointer"}) },
		"pan_string_ptr": func() { panic(&ptrStringer{5}) },
		"pan_err_late": func() {
			e := &lateErr{"early"}
			defer func() { e.text = "late" }()
			panic(e)
		},
		"pan_err_nil_ptr":    func() { var e *lateErr; panic(e) },
		"pan_err_panics":     func() { panic(badErr{}) },
		"pan_err_panics_int": func() { panic(badErrInt{}) },
		"pan_err_panics_recovered": func() {
			defer func() { println("got it", recover() != nil) }()
			panic(badErr{})
		},
		"pan_err_joined":  func() { panic(fmt.Errorf("outer: %w", errors.New("inner"))) },
		"pan_err_empty":   func() { panic(errors.New("")) },
		"pan_err_newline": func() { panic(errors.New("a\nb\n")) },
		// chains
		"pan_chain50": func() {
			for i := 0; i < 50; i++ {
				i := i
				defer func() { panic(i) }()
			}
			panic("start")
		},
		"pan_repanic3": func() {
			defer func() { panic(recover()) }()
			defer func() { panic(recover()) }()
			defer func() { panic(recover()) }()
			panic("again")
		},
		"pan_repanic_int":   func() { defer func() { panic(recover()) }(); panic(3) },
		"pan_repanic_error": func() { defer func() { panic(recover()) }(); panic(errors.New("e")) },
		"pan_repanic_wrapped": func() {
			defer func() { panic(fmt.Sprint("wrapped: ", recover())) }()
			panic(errors.New("e"))
		},
		"pan_repanic_nil": func() { defer func() { panic(recover()) }(); load(nil) },
		"pan_repanic_div": func() { defer func() { panic(recover()) }(); println(1 / sink) },
		"pan_nil_then_other": func() {
			defer func() { recover(); panic("other") }()
			load(nil)
		},
		"pan_nested_recovered": func() {
			defer func() {
				try(func() { panic("inside") })
				panic("second")
			}()
			panic("first")
		},
		"pan_deep_defers": func() {
			defer func() {
				defer func() {
					defer func() { panic("4") }()
					panic("3")
				}()
				panic("2")
			}()
			panic("1")
		},
		"pan_recover_chain": func() {
			try(func() {
				defer func() { panic("b") }()
				panic("a")
			})
			defer func() { panic("d") }()
			panic("c")
		},
		"pan_recovered_goes_on": func() {
			for i := 0; i < 3; i++ {
				try(func() { panic(i) })
			}
			try(func() { load(nil) })
			try(func() { println(1 / sink) })
			try(func() { var c chan int; close(c) })
			println("survived")
		},
		"pan_in_once": func() {
			var o sync.Once
			o.Do(func() { panic("in once") })
		},
		// on other goroutines
		"pan_g_main_sleeps": func() { go panic("g"); nap(3000) },
		"pan_g_main_chan":   func() { go panic(errors.New("g err")); <-make(chan int) },
		"pan_g_main_mutex":  func() { var mu sync.Mutex; mu.Lock(); go func() { nap(5); panic("g") }(); mu.Lock() },
		"pan_g_main_wg":     func() { var wg sync.WaitGroup; wg.Add(1); go func() { panic(1.25) }(); wg.Wait() },
		"pan_g_main_busy": func() {
			go func() { panic("beside") }()
			for {
				sink++
				runtime.Gosched()
			}
		},
		"pan_g_main_locked":  func() { runtime.LockOSThread(); go func() { panic("g") }(); nap(3000) },
		"pan_g_locked":       func() { go func() { runtime.LockOSThread(); panic("g") }(); nap(3000) },
		"pan_g_nil":          func() { go func() { load(nil) }(); nap(3000) },
		"pan_g_div":          func() { go func() { println(1 / sink) }(); nap(3000) },
		"pan_g_close_closed": func() { go func() { c := make(chan int); close(c); close(c) }(); nap(3000) },
		"pan_g_defers": func() {
			go func() {
				defer println("deferred in g")
				panic("g")
			}()
			nap(3000)
		},
		"pan_g_main_goexit": func() { go func() { nap(5); panic("left") }(); runtime.Goexit() },
		"pan_afterfunc":     func() { time.AfterFunc(time.Millisecond, func() { panic("timer") }); nap(3000) },
		"pan_main_many": func() {
			for i := 0; i < 100; i++ {
				go func() { select {} }()
			}
			nap(5)
			panic("main of many")
		},
		"pan_locked_goexit": func() {
			done := make(chan int)
			go func() { defer close(done); runtime.LockOSThread(); runtime.Goexit() }()
			<-done
			println("went on")
		},
		"pan_holding": func() {
			var mu sync.Mutex
			go func() { nap(2); mu.Lock(); println("never") }()
			mu.Lock()
			nap(5)
			panic("with the lock")
		},
		"pan_unlock_in_defer": func() {
			var mu sync.Mutex
			try(func() { mu.Lock(); defer mu.Unlock(); panic("x") })
			mu.Lock()
			println("locked again")
		},
		"pan_pool_new": func() { p := sync.Pool{New: func() interface{} { panic("in New") }}; p.Get() },
		// faults
		"pan_nil_write":     func() { var p *int64; *p = 5 },
		"pan_nil_method":    func() { var n *node; println(n.get()) },
		"pan_nil_byte":      func() { var p *[8]byte; p[5] = 1 },
		"pan_nil_recovered": func() { try(func() { load(nil) }); load(nil) },
		"pan_nil_defers": func() {
			defer println("one")
			defer println("two")
			load(nil)
		},
		"pan_nil_iface": func() { var e error; println(e.Error()) },
		"pan_div8":      func() { println(int8(7) / i8()) },
		"pan_div16":     func() { println(int16(7) / i16()) },
		"pan_div32":     func() { println(int32(7) / i32()) },
		"pan_div64":     func() { println(int64(7) / int64(sink)) },
		"pan_udiv8":     func() { println(uint8(7) / u8()) },
		"pan_udiv16":    func() { println(uint16(7) / u16()) },
		"pan_udiv32":    func() { println(uint32(7) / u32()) },
		"pan_mod8":      func() { println(int8(7) % i8()) },
		"pan_mod16":     func() { println(int16(7) % i16()) },
		"pan_mod32":     func() { println(int32(7) % i32()) },
		"pan_umod64":    func() { println(uint64(7) % uint64(sink)) },
		"pan_div_assign": func() {
			x := 10
			x /= sink
			println(x)
		},
		"pan_min_div_all": func() {
			a, b := int8(math.MinInt8)+i8(), int8(-1)+i8()
			println(a/b, a%b)
			c, d := int16(math.MinInt16)+i16(), int16(-1)+i16()
			println(c/d, c%d)
			e, f := int32(math.MinInt32)+i32(), int32(-1)+i32()
			println(e/f, e%f)
			g, h := int64(math.MinInt64)+int64(sink), int64(-1)+int64(sink)
			println(g/h, g%h)
			var arr [2]int64
			arr[0], arr[1] = g, h
			println(arr[sink]/arr[sink+1], arr[sink]%arr[sink+1])
		},
		// stacks
		"pan_mutual":   func() { println(even(0)) },
		"pan_mutual_g": func() { go func() { println(even(0)) }(); select {} },
		"pan_wide":     func() { println(wide(0)) },
		"pan_overflow_in_defer": func() {
			defer func() { println(even(0)) }()
			panic("first")
		},
		"pan_overflow_recover": func() { try(func() { println(even(0)) }); println("never") },
		"pan_maxstack_g":       func() { debug.SetMaxStack(200000); go func() { println(even(0)) }(); select {} },
		"pan_deep_ok":          func() { println(depth(2000000)) },
		// limits and misuse
		"pan_maxthreads1": func() { debug.SetMaxThreads(1); nap(1); println("not reached?") },
		"pan_maxthreads_ret": func() {
			println(debug.SetMaxThreads(500), debug.SetMaxThreads(10000))
		},
		"pan_settraceback": func() {
			go func() { select {} }()
			nap(1)
			debug.SetTraceback(os.Getenv("LEVEL"))
			panic("told")
		},
		"pan_maxstack_ret": func() { println(debug.SetMaxStack(1<<20), debug.SetMaxStack(1000000000)) },
		"pan_chan_cap":     func() { _ = make(chan int64, 1<<50+sink) },
		"pan_cond_signal":  func() { sync.NewCond(&sync.Mutex{}).Wait() },
		"pan_wg_done_twice": func() {
			var wg sync.WaitGroup
			wg.Add(1)
			wg.Done()
			try(func() { wg.Done() })
			println("caught")
			wg.Done()
		},
		"pan_rw_runlock_twice": func() { var mu sync.RWMutex; mu.RLock(); mu.RUnlock(); mu.RUnlock() },
		"pan_unlock_caught":    func() { try(func() { var mu sync.Mutex; mu.Unlock() }); println("never") },
		"pan_send_closed_caught": func() {
			c := make(chan int)
			close(c)
			try(func() { c <- 1 })
			try(func() { close(c) })
			v, ok := <-c
			println(v, ok)
		},
		"pan_close_waiters": func() {
			c := make(chan int)
			done := make(chan bool)
			for i := 0; i < 3; i++ {
				go func() { _, ok := <-c; done <- ok }()
			}
			nap(2)
			close(c)
			println(<-done, <-done, <-done)
		},
		// deadlocks
		"dl_wait_kinds": func() {
			var mu sync.Mutex
			var rw sync.RWMutex
			var wg sync.WaitGroup
			c, full, n := make(chan int), make(chan int), chan int(nil)
			mu.Lock()
			rw.Lock()
			wg.Add(1)
			go func() { mu.Lock() }()
			go func() { rw.RLock() }()
			go func() { rw.Lock() }()
			go func() { wg.Wait() }()
			go func() { <-c }()
			go func() { full <- 1 }()
			go func() { <-n }()
			go func() { n <- 1 }()
			go func() { select {} }()
			go func() {
				select {
				case <-c:
				case <-full: // never both: full's sender would find this one
				case <-n:
				}
			}()
			nap(10)
			sync.NewCond(&mu).Wait()
		},
		"dl_many": func() {
			for i := 0; i < 200; i++ {
				go func() { select {} }()
			}
			select {}
		},
		"dl_g_ended":    func() { c := make(chan int); go func() {}(); <-c },
		"dl_goexit_all": func() { go runtime.Goexit(); runtime.Goexit() },
		"dl_recovered":  func() { try(func() { panic("x") }); select {} },
		"dl_locked_both": func() {
			runtime.LockOSThread()
			go func() { runtime.LockOSThread(); select {} }()
			nap(2)
			select {}
		},
		"dl_mutex_pair": func() {
			var a, b sync.Mutex
			go func() { b.Lock(); nap(5); a.Lock() }()
			a.Lock()
			nap(5)
			b.Lock()
			b.Lock()
		},
		"dl_ticker_stopped": func() {
			t := time.NewTicker(time.Millisecond)
			<-t.C
			t.Stop()
			nap(5)
			select {
			case <-t.C:
			default:
			}
			<-t.C
		},
		"dl_sem_chan": func() { s := make(chan int, 1); s <- 1; s <- 1 },
		"dl_once":     func() { var o sync.Once; o.Do(func() { select {} }) },
		"dl_maxprocs": func() { runtime.GOMAXPROCS(8); nap(1); select {} },
		// exits
		"exit_0":      func() { defer println("never"); os.Exit(0) },
		"exit_255":    func() { os.Exit(255) },
		"exit_257":    func() { os.Exit(257) },
		"exit_neg300": func() { os.Exit(-300) },
		"exit_g_busy": func() {
			go func() { nap(2); os.Exit(12) }()
			for {
				sink++
			}
		},
		"exit_in_catch": func() {
			defer func() { recover(); os.Exit(21) }()
			panic("x")
		},
		"exit_many": func() {
			for i := 0; i < 50; i++ {
				go func() {
					for {
						runtime.Gosched()
					}
				}()
			}
			nap(2)
			println("main returns")
		},
		"exit_locked": func() {
			runtime.LockOSThread()
			go func() { runtime.LockOSThread(); select {} }()
			nap(1)
			println("end")
		},
		"exit_two": func() {
			go os.Exit(33)
			os.Exit(33)
		},
	} {
		scenarios[name] = f
	}
}
