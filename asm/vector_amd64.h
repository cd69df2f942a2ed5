// The vector registers that may hold arguments, kept in memory over a call: eight of xmm, ymm or zmm, from 0(SP) up.
//
// SP must be a multiple of the step, which is a register's width: the moves are aligned ones. What lies above that width
// in a register is not kept, nor are mask registers, which hold no arguments.
//
// Way not taken: xsave, as in preempt_amd64.S. There every register may be alive; here a call has been made, and no
// others are.

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
