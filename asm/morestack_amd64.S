// __morestack: where the prologue of user code goes when its check of the stack guard fails.
//
// Owns: the entry, the hop to another segment and back, and what an exception does on its way through.
//
// The compiler's side (-fsplit-stack): the prologue compares SP, or SP minus the frame, with 0x70(FS); when below, it
// loads the frame's size into R10 and the bytes of stack arguments into R11 and does
//          call __morestack
//      R:  ret
//      R+1: the function's body
// So R+1 is where the body begins, and R is a `ret` to the function's caller, to be used after a hop.
//
// The frame made here (addresses falling; newstack.h has it as a struct):
//      stack arguments of the caller      24(BP)
//      C, the function's return address   16(BP)
//      R                                   8(BP)
//      caller's BP                          (BP)
//      AX CX DX, frame size, argument bytes
//      (slow path) all other registers that may hold arguments, and those a callee must keep
//
// Three ways on:
//   stay  the stack is enough after all (it grew in its slot, or the goroutine was asked to stop): go to R+1 with the
//         stack as it was at the function's entry
//   hop   copy the stack arguments to the next segment, call R+1 there, come back, return through R. Returning
//         through R instead of popping it keeps the processor's return predictor in step.
//   slow  ask newstack on g0, then one of the above
// On a stack that is not g's, and on g0's and gsignal's, there is only "stay".
//
// Unwinding. In the slow path the function at R is the caller, as the stack says. In a hop the function's frame is the
// one on the new segment, so the frame here claims to have been called from C: R is skipped. gdb knows frames of a
// function of this name, and lets the stack pointer jump at them.

#include "go_asm.h"
#include "asm/vector_amd64.h"

	// A sanitizer hears of the other stack: fiber keeps all registers but R10 and R11.
	.macro FIBER unwound
#ifdef BOOT_HOSTED
	cmpb	$0, runtime.sanitizing(%rip)
	je	.Lnofiber\@
	movl	$\unwound, %r10d
	movq	%fs:-8, %r11
	call	runtime.fiber
.Lnofiber\@:
#endif
	.endm

	.text
	.globl	__morestack
	.type	__morestack, @function
	.p2align 4
__morestack:
	.cfi_startproc
	.cfi_personality 0x1b, runtime.morestackPersonality
	.cfi_lsda 0x1b, .Llsda
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%r10
	pushq	%r11
	movq	%fs:-8, %rax
	movq	g_stack_lo(%rax), %rcx
	movq	g_stack_hi(%rax), %rdx
	subq	%rcx, %rdx
	negq	%rcx
	addq	%rsp, %rcx
	cmpq	%rdx, %rcx
	jae	.Lelsewhere
.Lhopcheck:
	movq	g_stackguard0(%rax), %rdx
	cmpq	$const_stackPreempt, %rdx
	je	.Lslow
	cmpq	%fs:0x70, %rdx		// poisoned for somebody who is gone
	jne	.Lslow
	movq	g_segnext(%rax), %rcx
	testq	%rcx, %rcx
	jz	.Lslow
	leaq	1184(%r10,%r11), %rdx	// StackGuard + 256, as newstack reckons
	cmpq	stackseg_size(%rcx), %rdx
	ja	.Lslow

	// Hop. CX is the segment, AX is g.
	movq	g_stack_lo(%rax), %rdx
	movq	%rdx, stackseg_outerstack_lo(%rcx)
	movq	g_stack_hi(%rax), %rdx
	movq	%rdx, stackseg_outerstack_hi(%rcx)
	movq	%rsp, stackseg_outersp(%rcx)
	movq	g_segs(%rax), %rdx
	movq	%rdx, stackseg_outer(%rcx)
	movq	%rcx, g_segs(%rax)
	movq	stackseg_next(%rcx), %rdx
	movq	%rdx, g_segnext(%rax)
	movq	stackseg_stk_hi(%rcx), %r10
	movq	%r10, g_stack_hi(%rax)
	movq	stackseg_stk_lo(%rcx), %rdx
	movq	%rdx, g_stack_lo(%rax)
	addq	$const__StackGuard, %rdx
	movq	%rdx, g_stackguard0(%rax)
	movq	%rdx, %fs:0x70
	cmpb	$0, g_preempt(%rax)	// a request that came just now must not be lost with the old guard
	jne	.Lhoppoison
.Lhopargs:
	subq	%r11, %r10
	andq	$-16, %r10
	testq	%r11, %r11
	jz	.Lhopcall
.Lcopy:
	subq	$8, %r11
	movq	24(%rbp,%r11), %rdx
	movq	%rdx, (%r10,%r11)
	jnz	.Lcopy
.Lhopcall:
	movq	%r10, %rcx
	FIBER	0
	movq	%rcx, %r10
	movq	-8(%rbp), %rax
	movq	-16(%rbp), %rcx
	movq	-24(%rbp), %rdx
	movq	8(%rbp), %r11
	movq	%r10, %rsp
	incq	%r11
	.cfi_remember_state
	.cfi_def_cfa rbp, 24		// from here to the return the caller is C, not R
	.cfi_offset rbp, -24
	call	*%r11
	.globl	"runtime.morestackback"
"runtime.morestackback":

	// Back. AX, DX, XMM0, XMM1 and the x87 stack may hold the result; BP is our frame, for a callee keeps it.
	movq	%fs:-8, %rcx
	movq	g_segs(%rcx), %rsi
	movq	%rsi, g_segnext(%rcx)
	movq	stackseg_outer(%rsi), %rdi
	movq	%rdi, g_segs(%rcx)
	movq	stackseg_outerstack_hi(%rsi), %rdi
	movq	%rdi, g_stack_hi(%rcx)
	movq	stackseg_outerstack_lo(%rsi), %rdi
	movq	%rdi, g_stack_lo(%rcx)
	addq	$const__StackGuard, %rdi
	movq	%rdi, g_stackguard0(%rcx)
	movq	%rdi, %fs:0x70
	cmpb	$0, g_preempt(%rcx)
	jne	.Lbackpoison
.Lbackout:
	FIBER	0
	.cfi_restore_state
	movq	%rbp, %rsp
	popq	%rbp
	.cfi_remember_state
	.cfi_def_cfa rsp, 8
	.cfi_restore rbp
	ret				// to R, whose ret goes to C
	.cfi_restore_state
.Lhoppoison:
	movq	$const_stackPreempt, g_stackguard0(%rax)
	movq	$const_stackPreempt, %fs:0x70
	jmp	.Lhopargs
.Lbackpoison:
	movq	$const_stackPreempt, g_stackguard0(%rcx)
	movq	$const_stackPreempt, %fs:0x70
	jmp	.Lbackout

	// SP is not where g's stack is. In the slot, or in a segment, that g runs on: code without checks has gone deep below
	// the guard, and calls back; the hop is as ever. In another one: a longjmp has left segments; newstack sees to it.
	// Elsewhere: a handler of the user's on the signal stack, or a coroutine on a stack that the runtime does not know.
	// Nothing can grow there, and whoever wants the goroutine to stop waits.
.Lelsewhere:
	movq	%rsp, %rcx
	movq	g_stackslot_hi(%rax), %rdx
	subq	g_stackbase(%rax), %rcx
	subq	g_stackbase(%rax), %rdx
	cmpq	%rdx, %rcx
	jae	.Lnotslot
	cmpq	$0, g_segs(%rax)
	je	.Lhopcheck
	jmp	.Lslow
.Lnotslot:
	movq	g_segs(%rax), %rdx
.Lsegment:
	testq	%rdx, %rdx
	jz	.Lforeign
	movq	%rsp, %rcx
	subq	stackseg_base(%rdx), %rcx
	cmpq	stackseg_len(%rdx), %rcx
	jb	.Linsegment
	movq	stackseg_outer(%rdx), %rdx
	jmp	.Lsegment
.Linsegment:
	cmpq	g_segs(%rax), %rdx
	je	.Lhopcheck
	jmp	.Lslow
.Lforeign:
	popq	%r11
	popq	%r10
	popq	%rdx
	popq	%rcx
	popq	%rax
	.cfi_remember_state
	popq	%rbp
	.cfi_def_cfa rsp, 8
	.cfi_restore rbp
	jmp	.Lon
	.cfi_restore_state

	// On g0 or gsignal. The runtime has no checks, but what it has in common with the program, a template of fmt's, say,
	// the linker takes from the program's objects, where it has one. In a signal's handler the guard is the interrupted
	// goroutine's, and on g0 somebody may have poisoned it. So it says nothing; what counts is the room that is left.
.Lsystem:
	movq	%rsp, %rcx
	subq	g_stack_lo(%rax), %rcx
	jb	.Lgrow
	cmpq	%r10, %rcx
	jae	.Lforeign
	jmp	.Lgrow			// which throws

	// Slow. morestack saves SP, PC and BP only; everything else that is alive goes here.
.Lslow:
	movq	g_m(%rax), %rcx
	cmpq	m_g0(%rcx), %rax
	je	.Lsystem
	cmpq	m_gsignal(%rcx), %rax
	je	.Lsystem
.Lgrow:
	pushq	%rdi
	pushq	%rsi
	pushq	%r8
	pushq	%r9
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.cfi_offset rbx, -16-10*8
	.cfi_offset r12, -16-11*8
	.cfi_offset r13, -16-12*8
	.cfi_offset r14, -16-13*8
	.cfi_offset r15, -16-14*8
	leaq	-512(%rsp), %rsp
	andq	$-64, %rsp
	cmpb	$1, runtime.morestackVector(%rip)
	ja	.Lsavez
	je	.Lsavey
	SAVEVEC
	call	runtime.morestack
	RESTOREVEC
	jmp	.Lrestore
.Lsavey:
	SAVEVEC	vmovaps, ymm, 32
	vzeroupper			// the runtime is compiled for SSE
	call	runtime.morestack
	RESTOREVEC	vmovaps, ymm, 32
	jmp	.Lrestore
.Lsavez:
	SAVEVEC	vmovaps, zmm, 64
	vzeroupper
	call	runtime.morestack
	RESTOREVEC	vmovaps, zmm, 64
.Lrestore:
	// AX is newstack's answer.
	leaq	-(5+9)*8(%rbp), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	.cfi_restore rbx
	.cfi_restore r12
	.cfi_restore r13
	.cfi_restore r14
	.cfi_restore r15
	popq	%r9
	popq	%r8
	popq	%rsi
	popq	%rdi
	movq	%rax, %rcx
	popq	%r11
	popq	%r10
	testq	%rcx, %rcx
	popq	%rdx
	popq	%rcx
	popq	%rax
	popq	%rbp
	.cfi_def_cfa rsp, 8
	.cfi_restore rbp
	jnz	__morestack		// now there is a segment; and if it is gone again, or another request came, all over
.Lon:
	popq	%r10
	.cfi_adjust_cfa_offset -8
	// A function with a variable argument list expects R11 to point at its stack arguments, as its prologue left it.
	// After a real hop it computes R11 from our BP; here we do it, and skip that instruction.
	cmpl	$0x185d8d4c, 1(%r10)	// lea 0x18(%rbp),%r11
	jne	.Lstay
	leaq	8(%rsp), %r11
	addq	$4, %r10
.Lstay:
	incq	%r10
	jmp	*%r10

	// An exception that leaves the callee of a hop lands here, with BP restored and SP somewhere on the segment: go
	// back to the outer stack as a return would, then let it travel on.
	.globl	"runtime.morestackpad"
"runtime.morestackpad":
	.cfi_def_cfa rbp, 24
	.cfi_offset rbp, -24
	movq	%rax, %rdi
	movq	%fs:-8, %rcx
	movq	g_segs(%rcx), %rsi
	movq	stackseg_outersp(%rsi), %rsp
	andq	$-16, %rsp
	movq	%rsi, g_segnext(%rcx)
	movq	stackseg_outer(%rsi), %rdx
	movq	%rdx, g_segs(%rcx)
	movq	stackseg_outerstack_hi(%rsi), %rdx
	movq	%rdx, g_stack_hi(%rcx)
	movq	stackseg_outerstack_lo(%rsi), %rdx
	movq	%rdx, g_stack_lo(%rcx)
	addq	$const__StackGuard, %rdx
	movq	%rdx, g_stackguard0(%rcx)
	movq	%rdx, %fs:0x70
	FIBER	2
	call	_Unwind_Resume
	ud2
	.cfi_endproc
	.size	__morestack, . - __morestack

	// No table: the personality knows the one call that can throw.
	.section .gcc_except_table,"a",@progbits
.Llsda:
	.byte	0
	.section .note.GNU-stack,"",@progbits
