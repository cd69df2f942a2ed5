// Where the kernel enters a signal handler, how it leaves again, and how a hardware fault becomes a call.
//
// Owns: runtime.sigtramp, the restorer, and the two trampolines that make it look as if the faulting instruction had
// called runtime.sigpanic.
//
// Invariants
//   - The unwind tables of a trampoline say exactly what the handler has built, so that an exception thrown by sigpanic
//     is thrown, for every unwinder, by the faulting instruction itself.
//   - A goroutine's red zone (128 bytes under rsp) belongs to the user's code and is stepped over, not written to.

	.macro FUNC name
	.globl "\name"
	.type "\name", @function
	.p2align 4
"\name":
	.cfi_startproc
	.endm
	.macro ENDFUNC name
	.cfi_endproc
	.size "\name", . - "\name"
	.endm

	.text

// sigtramp(sig in DI, info in SI, context in DX), called by the kernel on the alternate stack. sigreturn restores every
// register, so there is nothing to save; the frame pointer keeps frame-walking profilers happy.
FUNC runtime.sigtramp
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	call	runtime.sigtrampgo
	popq	%rbp
	.cfi_def_cfa rsp, 8
	ret
ENDFUNC runtime.sigtramp

// sigpanic0: after a fault at an instruction of the program's text. The handler has set
//      rsp = (rsp at the fault) - 136        [rsp] = faulting pc
// 136 = the red zone + one word. "signal frame" makes an unwinder look up the faulting pc itself, not the byte before.
	.globl	"runtime.sigpanic0"
	.type	"runtime.sigpanic0", @function
	.p2align 4
	nop
"runtime.sigpanic0":
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa rsp, 136
	.cfi_offset rip, -136
	pushq	%rbp
	.cfi_def_cfa_offset 144
	.cfi_offset rbp, -144
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	andq	$-16, %rsp
	cld
	emms				// an x87 expression may have been half way
	call	runtime.sigpanic
	ud2
ENDFUNC runtime.sigpanic0

// sigpanic1: after a call to an address that is not code (a nil function). The faulting "function" has no frame, and
// [rsp] is already the return address into its caller.
FUNC runtime.sigpanic1
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	andq	$-16, %rsp
	cld
	call	runtime.sigpanic
	ud2
ENDFUNC runtime.sigpanic1

	.section .note.GNU-stack, "", @progbits
