// Vector registers kept on the stack: those that may hold arguments (SAVEVEC), or all there are (SAVEXSTATE).
//
// SAVEVEC is for a place that has been called: eight of xmm, ymm or zmm, from 0(SP) up. SP must be a multiple of the step,
// which is a register's width: the moves are aligned ones. What lies above that width in a register is not kept, nor are
// mask registers, which hold no arguments.
//
// SAVEXSTATE is for a place that was stopped between two instructions, where every register may be alive.

	.macro SAVEVEC move=movaps, reg=xmm, step=16
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	\move	%\reg\i, \i*\step(%rsp)
	.endr
	.endm
	.macro RESTOREVEC move=movaps, reg=xmm, step=16
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	\move	\i*\step(%rsp), %\reg\i
	.endr
	.endm

// The vector, mask and x87 state, by XSAVEC where the processor has it (2496 bytes at most for the components in the
// mask; those not in use are not written). Takes XSTATE bytes below SP and what makes SP a multiple of 64; AX, DX and the
// flags are lost. RESTOREXSTATE wants SP where SAVEXSTATE has left it.
#define XSTATE	2752		// XSAVE's layout, for processors without XSAVEC, is a little larger
	.macro SAVEXSTATE
	subq	$(XSTATE-576), %rsp
	andq	$-64, %rsp
	// The header, 64 bytes behind 512, must be zero but for what the instruction writes; the stack has old bytes.
	.rept 8
	pushq	$0
	.endr
	subq	$512, %rsp
	xorl	%edx, %edx
	movl	$0xe7, %eax		// x87, SSE, AVX, opmask, ZMM_Hi256, Hi16_ZMM
	cmpb	$1, runtime.preemptSave(%rip)
	jae	.Lextended\@
	fxsave64 (%rsp)
	jmp	.Lclean\@
.Lextended\@:
	je	.Lxsave\@
	xsavec64 (%rsp)
	jmp	.Lsaved\@
.Lxsave\@:
	xsave64	(%rsp)
.Lsaved\@:
	// C++ expects these clean: upper halves unused (or SSE is slow), the x87 stack empty, default rounding.
	testb	$4, 512(%rsp)
	jz	.Lclean\@
	vzeroupper
.Lclean\@:
	fninit
	pushq	$0x1f80
	ldmxcsr	(%rsp)
	addq	$8, %rsp
	.endm
	.macro RESTOREXSTATE
	xorl	%edx, %edx
	movl	$0xe7, %eax
	cmpb	$0, runtime.preemptSave(%rip)
	je	.Lfx\@
	xrstor64 (%rsp)
	jmp	.Lrestored\@
.Lfx\@:
	fxrstor64 (%rsp)
.Lrestored\@:
	.endm
