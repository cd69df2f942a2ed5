// asyncPreempt: a goroutine is stopped between two instructions of its own.
//
// A signal handler has made it look called: it lowered SP by 136 and put the interrupted pc at (SP). The 128 bytes above
// that word are the red zone, which the interrupted code may be using; `ret $128` steps over it on the way back.
// What is interrupted has saved nothing, so everything is saved here: flags, general registers, and the vector, mask and
// x87 state.

#include "vector_amd64.h"

	.text
	nop				// an unwinder that looks up pc-1 must not find the function before
	.globl	"runtime.asyncPreempt"
	.type	"runtime.asyncPreempt", @function
	.p2align 4
"runtime.asyncPreempt":
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa rsp, 136
	.cfi_offset rip, -136
	pushfq
	.cfi_def_cfa_offset 144
	pushq	%rbp
	.cfi_def_cfa_offset 152
	.cfi_offset rbp, -152
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	.cfi_offset rbx, -184
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	.cfi_offset r12, -240
	pushq	%r13
	.cfi_offset r13, -248
	pushq	%r14
	.cfi_offset r14, -256
	pushq	%r15
	.cfi_offset r15, -264
	cld
	SAVEXSTATE
	call	runtime.asyncPreempt2
	RESTOREXSTATE
	leaq	-112(%rbp), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	popq	%rbp
	.cfi_def_cfa rsp, 144
	.cfi_same_value rbp
	.cfi_same_value rbx
	.cfi_same_value r12
	.cfi_same_value r13
	.cfi_same_value r14
	.cfi_same_value r15
	popfq
	.cfi_def_cfa_offset 136
	ret	$128
	.cfi_endproc
	.size	"runtime.asyncPreempt", . - "runtime.asyncPreempt"

	.section .note.GNU-stack, "", @progbits
