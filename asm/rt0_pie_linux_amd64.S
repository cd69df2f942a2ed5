// The entry point of a program that can be loaded anywhere: it writes the addresses that the linker could not know, then
// goes the way of all others.
//
// Such a program is linked to lie at 0, so what is added is the address of its first byte. What there is to write is
// listed in its dynamic section. No address may be used before that, and no stack is needed for it.
//
// Way not taken: doing this in C++. A compiler is free to keep a table of addresses for a switch or a string, which are
// what is missing here.

	.set DT_PLTRELSZ, 2
	.set DT_RELA, 7
	.set DT_RELASZ, 8
	.set DT_JMPREL, 23
	.set R_X86_64_RELATIVE, 8
	.set R_X86_64_IRELATIVE, 37

	.text
	.hidden _DYNAMIC, __ehdr_start
	.globl _rt0_amd64_linux_pie
	.type _rt0_amd64_linux_pie, @function
_rt0_amd64_linux_pie:
	.cfi_startproc
	.cfi_undefined rip
	leaq	__ehdr_start(%rip), %rbx
	leaq	_DYNAMIC(%rip), %rax
	xorl	%esi, %esi			// the relocations
	xorl	%edi, %edi			// their size in bytes
	xorl	%r8d, %r8d			// the same of those for calls: functions that choose one
	xorl	%r9d, %r9d
.Lentry:
	movq	(%rax), %rcx
	movq	8(%rax), %rdx
	addq	$16, %rax
	cmpq	$DT_RELA, %rcx
	cmoveq	%rdx, %rsi
	cmpq	$DT_RELASZ, %rcx
	cmoveq	%rdx, %rdi
	cmpq	$DT_JMPREL, %rcx
	cmoveq	%rdx, %r8
	cmpq	$DT_PLTRELSZ, %rcx
	cmoveq	%rdx, %r9
	testq	%rcx, %rcx
	jnz	.Lentry
	addq	%rbx, %rsi
	addq	%rsi, %rdi
	movq	%rsi, runtime.pieRelocations(%rip)
	movq	%rdi, runtime.pieRelocations+8(%rip)
	addq	%rbx, %r8
	addq	%r8, %r9
	movq	%r8, runtime.pieRelocations+16(%rip)
	movq	%r9, runtime.pieRelocations+24(%rip)
	movq	%rbx, runtime.pieRelocations+32(%rip)
	jmp	.Lmore
.Lapply:
	movq	(%rsi), %rax			// where
	movl	8(%rsi), %ecx			// which kind
	movq	16(%rsi), %rdx
	addq	$24, %rsi
	cmpl	$R_X86_64_IRELATIVE, %ecx	// functions to be called, by doInit
	je	.Lmore
	cmpl	$R_X86_64_RELATIVE, %ecx
	jne	.Lunknown
	addq	%rbx, %rdx
	movq	%rdx, (%rbx,%rax)
.Lmore:
	cmpq	%rdi, %rsi
	jb	.Lapply
	jmp	_rt0_amd64_linux
.Lunknown:					// a linker that does what we do not know
	hlt
	.cfi_endproc
	.size _rt0_amd64_linux_pie, . - _rt0_amd64_linux_pie

	.bss
	.globl	"runtime.pieRelocations"
	.hidden	"runtime.pieRelocations"
	.type	"runtime.pieRelocations", @object
	.balign	8
"runtime.pieRelocations":
	.zero	5*8
	.size	"runtime.pieRelocations", 5*8

	.section .note.GNU-stack, "", @progbits
