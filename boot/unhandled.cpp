// What happens to a panic that nobody catches, and Goexit; see panic.h.
//
// The last frame of every goroutine, runtime.goexit, has a personality routine: the unwinder's first phase, the search
// for a handler, comes to it when there is none. The stack is intact at that moment, so the routine takes the return
// addresses of whoever panicked, and then claims to be a handler. The second phase runs all destructors and deferred
// functions, and arrives at a landing pad in goexit, which prints and exits. So Go's order holds: deferred functions
// first, then the report, with the frames of the place that panicked. For a debugger's sake the stack is put back before
// (keptstack.cpp), and the report is made from where the search ended.
//
// Goexit is the unwinder's forced unwinding: no handler is searched for, destructors run frame by frame until the
// goroutine's last frame is reached.
//
// Way not taken: std::terminate as the place of the report. libstdc++ calls it in phase 1, with no destructor run,
// which is what C++ does but not what Go does.
#include "boot/panic_impl.h"
#include "runtime/base/hooks.h"
#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/diag/signal_unix.h"
#include "runtime/diag/symtab.h"

using boot::detail::unwindstate;

namespace boot::detail {

namespace {

// The type's name out of its mangled one: names with their lengths, in N…E if there are several. What is more
// complicated (a template) stays as it is. A namespace without a name is left out.
std::string typetext(const std::type_info& type) {
  const char* s = type.name();
  std::string name;
  if (*s == 'N') s++;
  while (*s >= '1' && *s <= '9') {
    std::size_t n = 0;
    while (*s >= '0' && *s <= '9') n = n * 10 + static_cast<std::size_t>(*s++ - '0');
    std::string_view part(s, n);
    s += n;
    if (part.starts_with("_GLOBAL__N")) continue;
    if (!name.empty()) name += "::";
    name += part;
  }
  if (name.empty() || (*s != 0 && !(*s == 'E' && s[1] == 0))) return type.name();
  return name;
}

// C++'s own types have names of one letter.
struct builtin {
  char letter;
  std::int8_t size;  // negative: with a sign; of a floating type: 0
  const char* name;  // Go's
};
constexpr builtin builtins[] = {{'b', 1, "bool"},    {'c', -1, "int8"},  {'a', -1, "int8"},  {'h', 1, "uint8"},
                                {'s', -2, "int16"},  {'t', 2, "uint16"}, {'i', -4, "int"},   {'j', 4, "uint"},
                                {'l', -8, "int64"},  {'m', 8, "uint64"}, {'x', -8, "int64"}, {'y', 8, "uint64"},
                                {'f', 0, "float32"}, {'d', 0, "float64"}};

const builtin* builtinOf(const std::type_info& type) {
  const char* s = type.name();
  if (s[0] == 0 || s[1] != 0) return nullptr;
  for (const builtin& b : builtins)
    if (b.letter == s[0]) return &b;
  return nullptr;
}

std::string builtintext(const builtin& b, const void* p) {
  if (b.letter == 'b') return *static_cast<const bool*>(p) ? "true" : "false";
  if (b.size == 0) return gofloat(b.letter == 'f' ? *static_cast<const float*>(p) : *static_cast<const double*>(p));
  std::int64_t v = 0;
  int bytes = b.size < 0 ? -b.size : b.size;
  __builtin_memcpy(&v, p, static_cast<std::size_t>(bytes));
  if (b.size > 0) return std::to_string(static_cast<std::uint64_t>(v));
  int shift = 64 - 8 * bytes;
  return std::to_string(static_cast<std::int64_t>(static_cast<std::uint64_t>(v) << shift) >> shift);
}

}  // namespace

std::string objecttext(const std::type_info* type, void* object) {
  if (type == nullptr) return "(?)";
  if (const builtin* b = builtinOf(*type)) return builtintext(*b, object);
  if (*type == typeid(std::string_view)) return std::string(*static_cast<std::string_view*>(object));
  void* obj = object;
  if (typeid(std::exception).__do_catch(type, &obj, 1)) return static_cast<std::exception*>(obj)->what();
  return "(" + typetext(*type) + ") " + addresstext(object);
}

namespace {

// "fatal error: ..." for the exception that is being handled: it came out of a value that was asked for its text.
std::string printingFailed() {
  std::string s = "fatal error: panic while printing panic value: ";
  try {
    throw;
  } catch (const RuntimeError&) {
    return s + "type runtime.errorString\n";
  } catch (const Panic& p) {
    if (auto* text = std::any_cast<std::string>(&p.value())) return s + *text + "\n";
    const builtin* b = builtinOf(p.value().type());
    return s + "type " + (b != nullptr ? b->name : typetext(p.value().type())) + "\n";
  } catch (...) {
    return s + "type " + typetext(*abi::__cxa_current_exception_type()) + "\n";
  }
}

}  // namespace

}  // namespace boot::detail

namespace runtime {

namespace {

using boot::detail::cxaException;

// Prints and ends the process. pcs null: the frames of the caller. The end itself, and with it a core, is on the
// goroutine's own stack: a debugger that knows nothing of goroutines sees who has panicked.
[[noreturn]] void report(const std::string& text, const uintptr* pcs, int npcs, uintptr pc, uintptr sp, uintptr bp) {
  g* gp = getg();
  auto print = [&] {
    if (startpanic_m()) {
      if (atomic::Load(&runningPanicDefers) != 0) atomic::Xadd(&runningPanicDefers, -1);
      writeErr(text.data(), text.size());
    }
    unwregs r = regsOf(pc, sp, bp);
    dopanic_m(gp, {&r, false, pcs, npcs});
    endpanic_m();
  };
  if (gp == gp->m->curg)
    systemstack(print);
  else
    print();
  if (crashOnFatal) crash();
  exit(2);
}

// "panic: VALUE" of the exception that is being handled, and what it knows better: its frames, its signal, and what had
// been recovered before.
std::string currentText(const uintptr** pcs, int* npcs, boot::detail::faultinfo* fault, std::string* recovered) {
  using boot::detail::panicaccess;
  try {
    throw;
  } catch (boot::Panic& p) {
    int n;
    if (const uintptr* own = panicaccess::pcs(p, &n); own != nullptr) {
      *pcs = own;
      *npcs = n;
    }
    if (panicaccess::fault(p).sig != 0) *fault = panicaccess::fault(p);
    try {
      if (!panicaccess::recovered(p).empty()) *recovered = panicaccess::recovered(p);
      return panicaccess::chain(p) + "panic: " + panicaccess::text(p) + "\n";
    } catch (...) {
      try {
        throw;
      } catch (boot::Panic& inner) {
        *fault = panicaccess::fault(inner);
      } catch (...) {}
      getg()->m->throwing = throwTypeRuntime;
      return boot::detail::printingFailed();
    }
  } catch (const char* s) {
    return std::string("panic: ") + s + "\n";
  } catch (const std::string& s) {
    return "panic: " + s + "\n";
  } catch (...) {
    void* object = nullptr;
    std::type_info* type = nullptr;
    // In front of it lies this function's own entry: rethrown, and caught by the line above.
    cxaException* e = boot::detail::globals()->caughtExceptions;
    if (e != nullptr) e->thrown(&object, &type);
    return "panic: " + boot::detail::objecttext(type, object) + "\n";
  }
}

void setfault(g* gp, const boot::detail::faultinfo& f) {
  gp->sig = static_cast<std::uint8_t>(f.sig);
  gp->sigcode0 = f.code;
  gp->sigcode1 = f.addr;
  gp->sigpc = f.pc;
}

// Static constructors run with main tied to its thread. That ends as whatever unwinds leaves runtime.main, which has no
// frame for that: it would have to be compiled for exceptions.
void leaveInit(g* gp) {
  if (gp->goid == 1 && gp->m->lockedInt != 0) unlockOSThread();
}

// The goroutine's end by Goexit: unless a deferred function has panicked.
[[noreturn]] void goexitEnd(g* gp, uintptr pc, uintptr sp, uintptr bp) {
  unwindstate* state = unwindstate::of(gp);
  if (state != nullptr && !state->chain.empty()) {
    setfault(gp, state->fault);
    atomic::Xadd(&runningPanicDefers, 1u);
    report(state->chain, state->pcs, state->npcs, pc, sp, bp);
  }
  unwindstate::drop(gp);
  leaveInit(gp);
  goexit1();
  __builtin_unreachable();
}

}  // namespace

// goexit's landing pad: the exception's unwinding has come to the end of the goroutine.
[[noreturn]] void unhandledpanic(_Unwind_Exception* exc) GOSYM("runtime.unhandledpanic");
void unhandledpanic(_Unwind_Exception* exc) {
  g* gp = getg();
  unwindstate* state = unwindstate::of(gp);
  abi::__cxa_begin_catch(exc);
  if (state->aborted) {  // by a Goexit
    abi::__cxa_end_catch();
    atomic::Xadd(&runningPanicDefers, -1);
    goexitEnd(gp, CALLER_PC_SP_BP);
  }
  const uintptr* pcs = state->pcs;
  int npcs = state->npcs;
  boot::detail::faultinfo fault = state->recoveredFault;
  std::string text = currentText(&pcs, &npcs, &fault, &state->recovered);
  bool failed = gp->m->throwing != throwTypeNone;
  if (!failed) text.insert(0, state->recovered);
  if (!failed && !state->chain.empty()) {
    text += "\t" + state->chain;
    if (state->fault.sig != 0) fault = state->fault;
  }
  setfault(gp, fault);
  leaveInit(gp);
  if (boot::detail::keptstack* k = state->kept; k != nullptr) {
    k->text = text;
    k->pcs = pcs;
    k->npcs = npcs;
    boot::detail::goBack(gp);
  }
  report(text, pcs, npcs, CALLER_PC_SP_BP);
}

extern "C++" {
void goexit_unhandled() GOSYM("runtime.goexit.unhandled");  // asm: the landing pad
_Unwind_Reason_Code gopersonality(int, _Unwind_Action, _Unwind_Exception_Class, _Unwind_Exception*, _Unwind_Context*)
    GOSYM("runtime.gopersonality");
}

// goexit's personality; see the head of the file.
_Unwind_Reason_Code gopersonality(int, _Unwind_Action actions, _Unwind_Exception_Class, _Unwind_Exception* exc,
                                  _Unwind_Context* context) {
  if (actions & _UA_SEARCH_PHASE) {
    g* gp = getg();
    unwindstate::drop(gp);  // of an exception that was caught after all, by a frame that made the search stop later
    unwindstate* state = unwindstate::need(gp);
    state->npcs = boot::detail::throwerpcs(&state->pcs, CALLER_PC_SP_BP);
    state->recovered = boot::detail::recoveredTexts(&state->recoveredFault);
    std::type_info* type;
    auto* header = reinterpret_cast<cxaException*>(exc + 1) - 1;
    if (header->thrown(&state->thrown, &type)) state->level = std::uncaught_exceptions();
    // From here on deferred functions run in a goroutine that is bound to die; main waits for the report.
    atomic::Xadd(&runningPanicDefers, 1u);
    if (boot::detail::keepStack(gp)) {
      const boot::detail::keptstack* k = state->kept;
      report(k->text, k->pcs, k->npcs, CALLER_PC_SP_BP);
    }
    return _URC_HANDLER_FOUND;
  }
  if (actions & _UA_HANDLER_FRAME) {
    _Unwind_SetGR(context, 0, reinterpret_cast<_Unwind_Word>(exc));  // rax
    _Unwind_SetIP(context, reinterpret_cast<_Unwind_Ptr>(goexit_unhandled));
    return _URC_INSTALL_CONTEXT;
  }
  return _URC_CONTINUE_UNWIND;
}

// ---------------------------------------------------------------------------------------------------------------
// Goexit
// ---------------------------------------------------------------------------------------------------------------

namespace {

// libsupc++ looks in front of every exception for the header of one of its own, to tell what type a catch block has got:
// it finds none there, and not what happens to lie in front.
struct goexitException {
  cxaException none{};
  _Unwind_Exception exc{};
  static void free(_Unwind_Exception* e) {
    delete reinterpret_cast<goexitException*>(reinterpret_cast<char*>(e) - offsetof(goexitException, exc));
  }
};

// Called for each frame before its destructors run; at the goroutine's last frame there are none left.
_Unwind_Reason_Code goexitStop(int, _Unwind_Action actions, _Unwind_Exception_Class, _Unwind_Exception* exc,
                               _Unwind_Context* context, void*) {
  funcinfo f = findfunc(reinterpret_cast<uintptr>(&goexit));
  uintptr ip = _Unwind_GetIP(context), entry = reinterpret_cast<uintptr>(&goexit);
  uintptr size = f.name != nullptr ? f.size : 64;
  if ((actions & _UA_END_OF_STACK) || (ip >= entry && ip < entry + size)) {
    goexitException::free(exc);
    goexitEnd(getg(), CALLER_PC_SP_BP);
  }
  return _URC_NO_REASON;
}

// A catch (...) that does not rethrow ends here when it is left: Goexit is no exception and goes on. Only a deferred
// function's ends with the function.
void goexitCleanup(_Unwind_Reason_Code, _Unwind_Exception* exc) {
  goexitException::free(exc);
  unwindstate* state = unwindstate::need(getg());
  if (state->swallow) {
    state->swallow = false;
    return;
  }
  state->goexits--;  // it is counted once more
  Goexit();
}

}  // namespace

void Goexit() {
  g* gp = getg();
  unwindstate* state = unwindstate::need(gp);
  state->goexits++;
  state->goexitLevel = std::uncaught_exceptions();
  _Unwind_Exception* exc = &(new goexitException{})->exc;
  exc->exception_cleanup = goexitCleanup;
  _Unwind_ForcedUnwind(exc, goexitStop, nullptr);
  goexitEnd(gp, CALLER_PC_SP_BP);
}

}  // namespace runtime

namespace __gnu_cxx {

// std::terminate without another handler: an exception left a noexcept function, or a destructor during another one's
// unwinding, or was thrown where no goroutine runs.
void __verbose_terminate_handler() {
  if (abi::__cxa_current_exception_type() == nullptr) runtime::fatal("terminate called without an active exception");
  const runtime::uintptr* pcs = nullptr;
  int npcs = 0;
  boot::detail::faultinfo fault;
  std::string recovered, text = runtime::currentText(&pcs, &npcs, &fault, &recovered);
  text.insert(0, recovered);
  runtime::setfault(runtime::getg(), fault);
  using runtime::uintptr;
  runtime::report(text, pcs, npcs, CALLER_PC_SP_BP);
}

}  // namespace __gnu_cxx
