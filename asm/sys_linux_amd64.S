// The routines that talk to Linux or to the processor and cannot be C++.
//
// ┌─────────────────────────────┬──────────────────────────────────────────────────────────────────────────────┐
// │ runtime.settls              │ FS base of the calling thread                                                │
// │ runtime.clone               │ a new thread, from its first instruction to mstart                           │
// │ runtime.exitThread          │ the last instructions of a thread, when its stack may be gone                │
// │ runtime.sigreturn__sigaction│ where a signal handler returns to                                            │
// │ runtime.cputicks            │ the time stamp counter, in order with the instructions before it             │
// │ runtime.procyield           │ a pause in a spin loop                                                       │
// │ runtime.publicationBarrier  │ stores before it are seen before stores after it                             │
// │ runtime.abort               │ stop here, under a debugger too                                              │
// └─────────────────────────────┴──────────────────────────────────────────────────────────────────────────────┘
//
// The plain system calls are C++ (os_linux.cpp): an inline `syscall` needs no assembly.
// Arguments follow the C++ ABI: rdi, rsi, rdx, rcx, r8, r9. A system call destroys rcx and r11 and nothing else.

#include "go_asm.h"

#define SYS_rt_sigreturn	15
#define SYS_clone		56
#define SYS_exit		60
#define SYS_arch_prctl		158
#define SYS_futex		202
#define ARCH_SET_FS		0x1002
#define CLONE_SETTLS		0x00080000
#define CLONE_PARENT_SETTID	0x00100000
#define FUTEX_WAKE_PRIVATE	129

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

// settls(&tls[1] in DI): from here on -8(FS) is tls[0].
FUNC runtime.settls
	movq	%rdi, %rsi
	movl	$ARCH_SET_FS, %edi
	movl	$SYS_arch_prctl, %eax
	syscall
	cmpq	$-4095, %rax
	jb	1f
	.cfi_remember_state
	movq	%rax, %rdi
	andq	$~15, %rsp
	.cfi_undefined rip
	call	runtime.settlsFailed
	ud2
	.cfi_restore_state
1:	ret
ENDFUNC runtime.settls

// clone(flags, stk, mp, gp, fn): returns the new thread's id, or -errno. The child runs fn on stk with its TLS in place
// and never returns. mp null: a bare thread without TLS of its own.
//
// The kernel itself stores the thread id in mp->procid before either side goes on (CLONE_PARENT_SETTID), so nobody
// sees an M that runs without one, and no gettid is needed.
FUNC runtime.clone
	// What the child needs has to be in registers: it starts on another stack. rbx and r12 are the caller's, and the
	// child has none, so only the parent's side must bring them back.
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	movq	%rcx, %rbx		// gp
	movq	%r8, %r12		// fn
	movq	%rdx, %r9		// mp
	xorl	%edx, %edx		// parent_tid
	xorl	%r10d, %r10d		// child_tid
	xorl	%r8d, %r8d		// tls
	testq	%r9, %r9
	jz	1f
	leaq	m_procid(%r9), %rdx
	movq	m_tlsbase(%r9), %r8
	orl	$(CLONE_SETTLS | CLONE_PARENT_SETTID), %edi
1:	movl	$SYS_clone, %eax
	syscall
	testq	%rax, %rax
	jz	.Lchild
	popq	%r12
	.cfi_remember_state
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	ret

.Lchild:
	.cfi_restore_state
	.cfi_undefined rip		// the root of this thread's stack
	xorl	%ebp, %ebp
	testq	%r9, %r9
	jz	2f
	testq	%rbx, %rbx
	jz	2f
	// The thread finds its g, the g its thread, and a prologue its guard.
	movq	%r9, g_m(%rbx)
	movq	%rbx, %fs:-8
	movq	g_stackguard0(%rbx), %rax
	movq	%rax, %fs:0x70
2:	andq	$~15, %rsp
	call	*%r12
	// fn should not return. If it does, only this thread ends, with a status that tells.
3:	movl	$111, %edi
	movl	$SYS_exit, %eax
	syscall
	jmp	3b
ENDFUNC runtime.clone

// exitThread(wait in DI): once *wait is 0 the stack may be freed, so not a byte of it is used after the store. The
// wake-up can meet memory that is gone already; the kernel then answers with an error that nobody needs.
FUNC runtime.exitThread
	.cfi_undefined rip
	movl	$0, (%rdi)
	movl	$FUTEX_WAKE_PRIVATE, %esi
	movl	$0x7fffffff, %edx
	xorl	%r10d, %r10d
	movl	$SYS_futex, %eax
	syscall
1:	xorl	%edi, %edi
	movl	$SYS_exit, %eax
	syscall
	jmp	1b
ENDFUNC runtime.exitThread

// The kernel has pushed this address under the handler's frame (SA_RESTORER). Debuggers and unwinders know a signal
// frame by these very instructions; the nop is for unwinders that look up pc-1.
	.p2align 4
	.cfi_startproc
	.cfi_signal_frame
	// Here rsp points at the ucontext, and the interrupted registers are at fixed places in it. CFI has no words for
	// "at rsp plus so much" when the frame's address is itself one of them; DWARF expressions have.
	.cfi_escape 0x0f, 0x04, 0x77, 0xa0, 0x01, 0x06	// CFA: the interrupted rsp
	.cfi_escape 0x10, 0x08, 0x02, 0x77, 0x28	// r8
	.cfi_escape 0x10, 0x09, 0x02, 0x77, 0x30	// r9
	.cfi_escape 0x10, 0x0a, 0x02, 0x77, 0x38	// r10
	.cfi_escape 0x10, 0x0b, 0x03, 0x77, 0xc0, 0x00	// r11
	.cfi_escape 0x10, 0x0c, 0x03, 0x77, 0xc8, 0x00	// r12
	.cfi_escape 0x10, 0x0d, 0x03, 0x77, 0xd0, 0x00	// r13
	.cfi_escape 0x10, 0x0e, 0x03, 0x77, 0xd8, 0x00	// r14
	.cfi_escape 0x10, 0x0f, 0x03, 0x77, 0xe0, 0x00	// r15
	.cfi_escape 0x10, 0x05, 0x03, 0x77, 0xe8, 0x00	// rdi
	.cfi_escape 0x10, 0x04, 0x03, 0x77, 0xf0, 0x00	// rsi
	.cfi_escape 0x10, 0x06, 0x03, 0x77, 0xf8, 0x00	// rbp
	.cfi_escape 0x10, 0x03, 0x03, 0x77, 0x80, 0x01	// rbx
	.cfi_escape 0x10, 0x01, 0x03, 0x77, 0x88, 0x01	// rdx
	.cfi_escape 0x10, 0x00, 0x03, 0x77, 0x90, 0x01	// rax
	.cfi_escape 0x10, 0x02, 0x03, 0x77, 0x98, 0x01	// rcx
	.cfi_escape 0x10, 0x10, 0x03, 0x77, 0xa8, 0x01	// rip
	nop
	.globl "runtime.sigreturn__sigaction"
	.type "runtime.sigreturn__sigaction", @function
"runtime.sigreturn__sigaction":
	movq	$SYS_rt_sigreturn, %rax
	syscall
	jmp	.Lsigreturnfailed
	.cfi_endproc
	.size "runtime.sigreturn__sigaction", . - "runtime.sigreturn__sigaction"

FUNC runtime.sigreturnrefused
	.cfi_undefined rip
.Lsigreturnfailed:
	movq	%rax, %rdi
	andq	$~15, %rsp
	call	runtime.sigreturnFailed
	ud2
ENDFUNC runtime.sigreturnrefused

// cputicks(): which fence keeps RDTSC from running ahead was decided in rt0_go.
FUNC runtime.cputicks
	cmpb	$1, runtime.lfenceBeforeRdtsc(%rip)
	jne	1f
	lfence
	jmp	2f
1:	mfence
2:	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	ret
ENDFUNC runtime.cputicks

// procyield(cycles in DI)
FUNC runtime.procyield
	testl	%edi, %edi
	jz	2f
1:	pause
	subl	$1, %edi
	jnz	1b
2:	ret
ENDFUNC runtime.procyield

// Stores are seen in program order on amd64: the call is barrier enough for the compiler, and the processor needs none.
FUNC runtime.publicationBarrier
	ret
ENDFUNC runtime.publicationBarrier

FUNC runtime.abort
	.cfi_undefined rip
	int3
1:	jmp	1b
ENDFUNC runtime.abort

	.section .note.GNU-stack, "", @progbits
