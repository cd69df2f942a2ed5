// debugCallV2: where a debugger enters to have a function called in a stopped goroutine (C13).
//
// Nothing in the program calls it. It speaks Go's protocol (Go 1.19, runtime.debugCallV2), with what the C++ ABI needs
// besides. A debugger
//   1. stops in a goroutine that is _Grunning, on its own stack, with at least 4 KB of it left, which user code's check
//      sees to;
//   2. saves the general registers and the flags. The vector, mask and x87 state is kept here, unlike in Go's: gdb 13
//      can't write it on processors with AMX (it gives the kernel a shorter block than the kernel accepts);
//   3. lowers SP by 136 and writes the PC to (SP). 128 bytes are the red zone, which C++ code may be using and Go code
//      has not;
//   4. writes the size of the stack frame it wants for the call's arguments to -16(SP);
//   5. sets PC to debugCallV2 and lets the process go on.
// Then there is a breakpoint trap (INT3) each time the debugger is asked for something. R12 says what:
//    8  refused. (SP) and 8(SP) are the reason's address and length. Go on.
//    0  a frame is ready, on a goroutine made for the call. Write stack arguments to (SP), which is 16-byte aligned,
//       set the argument registers (and AL for variable arguments), push the trapping PC, set PC to the function, go on.
//       For doubles in X0-X7 without writing these: R10 to eight of them in memory, R11 to the function, PC to
//       debugCallFloats.
//    1  the function has returned. Results are in the registers; go on.
//    2  it has thrown. (SP) and 8(SP) are the text of the exception; go on.
//   16  the end: restore the general registers but SP, and the flags, go on. The goroutine then is where it was.
// The thread that traps may be another one each time: what is called may block and be taken up elsewhere.

#include "go_asm.h"
#include "vector_amd64.h"

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

// The frame: BP is pushed, then 8 bytes for the frame size, which is there already, and 14 registers, then room that
// makes calls aligned. SAVED is what lies between SP and the pushed BP when the registers are taken back.
#define SAVED	(15*8)
#define EACHREG(OP) \
	OP(0, rax); OP(1, rcx); OP(2, rdx); OP(3, rbx); OP(4, rsi); OP(5, rdi); OP(6, r8); OP(7, r9); OP(8, r10); \
	OP(9, r11); OP(10, r12); OP(11, r13); OP(12, r14); OP(13, r15)
// Both by the frame pointer and, once that is the user's again, by SP: the same slots.
#define SAVE(i, reg)	movq	%reg, (-SAVED+8*i)(%rbp)
#define TAKE(i, reg)	movq	(8*i)(%rsp), %reg

#ifdef BOOT_PIE
#define DEBUGCALL_FRAMES .data.rel.ro.debugcall, "aw", @progbits
#else
#define DEBUGCALL_FRAMES .rodata.debugcall, "a", @progbits
#endif

	.text
	nop				// an unwinder that looks up pc-1 must not find the function before
FUNC runtime.debugCallV2
	// To unwinders this is a signal handler's frame: the return address is where the goroutine was stopped.
	.cfi_signal_frame
	.cfi_def_cfa rsp, 136
	.cfi_offset rip, -136
	pushq	%rbp
	.cfi_def_cfa_offset 144
	.cfi_offset rbp, -144
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	leaq	-SAVED(%rsp), %rsp	// -8(BP) is the frame size
	// The collector looks at this stack for pointers, so all registers must be on it.
	EACHREG(SAVE)
	andq	$-16, %rsp
	cld
	// How the state is saved must be settled now: a first preemption while the call runs would settle it otherwise.
	call	runtime.preemptinit
	SAVEXSTATE
	movq	8(%rbp), %rdi		// where the goroutine was stopped,
	leaq	144(%rbp), %rsi		// and its SP there
	call	runtime.debugCallCheck
	testq	%rax, %rax
	jnz	.Lrefuse		// the reason in AX, its length in DX
	movq	-8(%rbp), %rsi
	// The smallest of the frames that is large enough.
	leaq	.Lframes(%rip), %rcx
.Lnextframe:
	movq	(%rcx), %rdi
	testq	%rdi, %rdi
	jz	.Ltoolarge
	cmpq	8(%rcx), %rsi
	leaq	16(%rcx), %rcx
	ja	.Lnextframe
	movq	8(%rbp), %rsi
	call	runtime.debugCallWrap
	jmp	.Lrestore
.Ltoolarge:
	leaq	.Lframetoolarge(%rip), %rax
	movl	$20, %edx
.Lrefuse:
	pushq	%rdx
	pushq	%rax
	movq	$8, %r12
	int3
.Lrestore:
	leaq	-(SAVED+XSTATE)(%rbp), %rsp
	andq	$-64, %rsp
	RESTOREXSTATE
	leaq	-SAVED(%rbp), %rsp
	.cfi_def_cfa rsp, 144+SAVED
	movq	$16, %r12
	int3
	// BP is the user's now, as all else; and the flags must stay as they are.
	EACHREG(TAKE)
	movq	SAVED(%rsp), %rbp
	.cfi_restore rbp
	leaq	(SAVED+8)(%rsp), %rsp
	.cfi_def_cfa_offset 136
	ret	$128
ENDFUNC runtime.debugCallV2

// debugCall32 ... debugCall65536: the first frame of a called function, with so many bytes for its stack arguments.
// They have the prologue of user code, so a large frame gets a larger stack like any other.
	.macro CALLFRAME size
FUNC debugCall\size
	leaq	-(\size+64)(%rsp), %r11
	cmpq	%fs:0x70, %r11
	jae	.Lenter\size
	movl	$(\size+64), %r10d
	xorl	%r11d, %r11d
	call	__morestack
	ret
.Lenter\size:
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	subq	$\size, %rsp
	andq	$-16, %rsp
	xorl	%r12d, %r12d
	int3
	movl	$1, %r12d
	int3
	leave
	.cfi_def_cfa rsp, 8
	ret
ENDFUNC debugCall\size
	.pushsection DEBUGCALL_FRAMES
	.quad	debugCall\size, \size
	.popsection
	.endm

	.pushsection DEBUGCALL_FRAMES
	.balign 8
.Lframes:
	.popsection
	.globl	"runtime.debugCallFrames"
"runtime.debugCallFrames":
	.irp size, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536
	CALLFRAME \size
	.endr
	.globl	"runtime.debugCallFramesEnd"
"runtime.debugCallFramesEnd":
	.pushsection DEBUGCALL_FRAMES
	.quad	0, 0
	.popsection

FUNC runtime.debugCallFloats
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	movq	8*\i(%r10), %xmm\i
	.endr
	jmp	*%r11
ENDFUNC runtime.debugCallFloats

// debugCallPanicked(text in DI, length in SI): what was called has thrown.
FUNC runtime.debugCallPanicked
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq	%rbx
	pushq	%r12
	.cfi_offset rbx, -24
	.cfi_offset r12, -32
	pushq	%rsi
	pushq	%rdi
	movq	$2, %r12
	int3
	leaq	-16(%rbp), %rsp
	popq	%r12
	popq	%rbx
	popq	%rbp
	.cfi_def_cfa rsp, 8
	ret
ENDFUNC runtime.debugCallPanicked

	.section .rodata.debugcall.str, "a", @progbits
.Lframetoolarge:
	.ascii	"call frame too large"
	.section .note.GNU-stack, "", @progbits
