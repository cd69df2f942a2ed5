	.text
	.globl triple
	.type triple, @function
triple:
	leaq	(%rdi,%rdi,2), %rax
	ret
	.size triple, . - triple
	.section .note.GNU-stack, "", @progbits
