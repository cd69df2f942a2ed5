// The entry point. It only enters.
//
// The kernel starts a process with rsp pointing at argc, then argv[], a null, envp[], a null, and the auxiliary
// vector; rbp and the other registers are zero by the ABI's word and unspecified in fact. There is no caller to return
// to, so nothing is pushed and a backtrace ends here.

	.text

#ifdef BOOT_HOSTED
// Hosted: the dynamic linker has loaded the libraries, run their constructors, and jumps here with the function to call
// at exit in DX. libc prepares itself and the first thread, and calls back. The program's own static constructors are
// not libc's to run here (asm/text_hosted.ld): they run on the main goroutine, as in pure mode.
	.globl _rt0_amd64_linux
	.type _rt0_amd64_linux, @function
_rt0_amd64_linux:
	.cfi_startproc
	.cfi_undefined rip
	xorl	%ebp, %ebp
	movq	%rdx, %r9		// rtld_fini
	movq	0(%rsp), %rsi		// argc
	leaq	8(%rsp), %rdx		// argv
	andq	$~15, %rsp
	pushq	%rax			// alignment
	pushq	%rsp			// stack_end, the seventh argument
	xorl	%ecx, %ecx		// init and fini: libc finds them itself
	xorl	%r8d, %r8d
	leaq	_rt0_amd64(%rip), %rdi
	call	*__libc_start_main@GOTPCREL(%rip)
	hlt
	.cfi_endproc
	.size _rt0_amd64_linux, . - _rt0_amd64_linux

// main, to libc: argc in DI, argv in SI, on the first thread's stack, which rt0_go makes g0's.
	.globl _rt0_amd64
	.type _rt0_amd64, @function
_rt0_amd64:
	.cfi_startproc
	.cfi_undefined rip
	movslq	%edi, %rdi
	jmp	runtime.rt0_go
	.cfi_endproc
	.size _rt0_amd64, . - _rt0_amd64
#else
// Go's per-system entry: a jump to the part that all amd64 systems share.
	.globl _rt0_amd64_linux
	.type _rt0_amd64_linux, @function
_rt0_amd64_linux:
	.cfi_startproc
	.cfi_undefined rip
	jmp	_rt0_amd64
	.cfi_endproc
	.size _rt0_amd64_linux, . - _rt0_amd64_linux

// argc in DI, &argv[0] in SI, and on.
	.globl _rt0_amd64
	.type _rt0_amd64, @function
_rt0_amd64:
	.cfi_startproc
	.cfi_undefined rip
	movq	0(%rsp), %rdi
	leaq	8(%rsp), %rsi
	jmp	runtime.rt0_go
	.cfi_endproc
	.size _rt0_amd64, . - _rt0_amd64
#endif

	.section .note.GNU-stack, "", @progbits
