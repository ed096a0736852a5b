/* SPDX-License-Identifier: Apache-2.0 */
/* The tree as text: one node a line, children two blanks further in. */
#include "compile/lang/bpftrace/parse.h"

static const char *const kind_names[] = {
	[EXPR_INT] = "int",
	[EXPR_BOOL] = "bool",
	[EXPR_STRING] = "string",
	[EXPR_NONE] = "none",
	[EXPR_PARAM] = "param",
	[EXPR_PARAM_COUNT] = "param-count",
	[EXPR_IDENT] = "ident",
	[EXPR_BUILTIN] = "builtin",
	[EXPR_CALL] = "call",
	[EXPR_SIZEOF] = "sizeof",
	[EXPR_OFFSETOF] = "offsetof",
	[EXPR_TYPEINFO] = "typeinfo",
	[EXPR_COMPTIME] = "comptime",
	[EXPR_MAP] = "map",
	[EXPR_MAP_ACCESS] = "map-access",
	[EXPR_VAR] = "var",
	[EXPR_ADDRESS] = "address",
	[EXPR_BINARY] = "binary",
	[EXPR_UNARY] = "unary",
	[EXPR_FIELD] = "field",
	[EXPR_INDEX] = "index",
	[EXPR_TUPLE_AT] = "tuple-at",
	[EXPR_CAST] = "cast",
	[EXPR_TUPLE] = "tuple",
	[EXPR_RECORD] = "record",
	[EXPR_IF] = "if",
	[EXPR_BLOCK] = "block",
	[EXPR_TYPE] = "type",
};

static const char *const op_names[] = {
	[OP_ADD] = "+",	      [OP_SUB] = "-",	    [OP_MUL] = "*",	 [OP_DIV] = "/",
	[OP_MOD] = "%",	      [OP_AND] = "&",	    [OP_OR] = "|",	 [OP_XOR] = "^",
	[OP_SHL] = "<<",      [OP_SHR] = ">>",	    [OP_EQ] = "==",	 [OP_NE] = "!=",
	[OP_LT] = "<",	      [OP_LE] = "<=",	    [OP_GT] = ">",	 [OP_GE] = ">=",
	[OP_LAND] = "&&",     [OP_LOR] = "||",	    [OP_NOT] = "!",	 [OP_BNOT] = "~",
	[OP_NEG] = "-",	      [OP_DEREF] = "*",	    [OP_PREINC] = "++x", [OP_PREDEC] = "--x",
	[OP_POSTINC] = "x++", [OP_POSTDEC] = "x--",
};

static const char *const stmt_names[] = {
	[STMT_EXPR] = "expr",	      [STMT_LET] = "let",	  [STMT_ASSIGN_VAR] = "assign",
	[STMT_ASSIGN_MAP] = "assign", [STMT_DISCARD] = "discard", [STMT_IF] = "if",
	[STMT_WHILE] = "while",	      [STMT_FOR_MAP] = "for",	  [STMT_FOR_RANGE] = "for-range",
	[STMT_UNROLL] = "unroll",     [STMT_BREAK] = "break",	  [STMT_CONTINUE] = "continue",
	[STMT_RETURN] = "return",     [STMT_BLOCK] = "block",	  [STMT_IMPORT] = "import",
};

struct printer {
	struct buf *to;
	unsigned int depth;
};

static void print_expr(struct printer *p, const struct expr *e);
static void print_block(struct printer *p, const struct block *b);

static void begin(struct printer *p, const char *word)
{
	buf_printf(p->to, "%*s%s", 2 * (int)p->depth, "", word);
}

/* In quotes, on one line. */
static void print_text(struct printer *p, struct str s)
{
	buf_puts(p->to, " \"");
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_printf(p->to, "\\%c", c);
		else if (c == '\n')
			buf_puts(p->to, "\\n");
		else if (c < ' ' || c == 0x7f)
			buf_printf(p->to, "\\x%02x", c);
		else
			buf_putc(p->to, (char)c);
	}
	buf_putc(p->to, '"');
}

/* A type on the line, then expressions inside it below: the caller ends the line. */
static void print_ref(struct printer *p, const struct type_ref *ref)
{
	static const char *const tags[] = {"", "struct ", "union ", "enum "};

	if (!ref)
		return;
	buf_puts(p->to, " :");
	for (; ref->of_type && !ref->name; ref = ref->of_type)
		buf_puts(p->to, " typeof");
	if (ref->of)
		buf_puts(p->to, " typeof …");
	else if (ref->name)
		buf_printf(p->to, " %s%s", tags[ref->tag], ref->name);
	for (size_t i = 0; i < ref->suffixes.n; i++) {
		const struct type_suffix *s = &ref->suffixes.p[i];

		if (s->kind == SUFFIX_POINTER)
			buf_puts(p->to, "*");
		else if (s->n < 0)
			buf_puts(p->to, "[]");
		else
			buf_printf(p->to, "[%lld]", (long long)s->n);
	}
}

static const struct expr *ref_expr(const struct type_ref *ref)
{
	while (ref && ref->of_type)
		ref = ref->of_type;
	return ref ? ref->of : NULL;
}

static void print_child(struct printer *p, const struct expr *e)
{
	if (!e)
		return;
	p->depth++;
	print_expr(p, e);
	p->depth--;
}

/* The rest of an expression's line. */
static void print_expr_head(struct printer *p, const struct expr *e)
{
	if (e->kind == EXPR_INT && e->is_negative)
		buf_printf(p->to, " %lld", (long long)e->number);
	else if (e->kind == EXPR_INT || e->kind == EXPR_PARAM || e->kind == EXPR_TUPLE_AT)
		buf_printf(p->to, " %llu", (unsigned long long)e->number);
	if (e->kind == EXPR_BOOL)
		buf_puts(p->to, e->number ? " true" : " false");
	if (e->kind == EXPR_STRING)
		print_text(p, e->text);
	if (e->name)
		buf_printf(p->to, " %s", e->name);
	if (e->kind == EXPR_BINARY || e->kind == EXPR_UNARY)
		buf_printf(p->to, " %s", op_names[e->op]);
	for (size_t i = 0; i < e->names.n; i++)
		buf_printf(p->to, " %s", e->names.p[i]);
	print_ref(p, e->ref);
	buf_putc(p->to, '\n');
}

static void print_expr(struct printer *p, const struct expr *e)
{
	begin(p, kind_names[e->kind]);
	print_expr_head(p, e);
	print_child(p, ref_expr(e->ref));
	print_child(p, e->a);
	print_child(p, e->b);
	print_child(p, e->c);
	for (size_t i = 0; i < e->items.n; i++)
		print_child(p, e->items.p[i]);
	if (e->block)
		print_block(p, e->block);
}

static void print_stmt(struct printer *p, const struct stmt *s)
{
	begin(p, stmt_names[s->kind]);
	if (s->has_op)
		buf_printf(p->to, " %s=", op_names[s->op]);
	if (s->kind == STMT_IMPORT)
		print_text(p, s->text);
	print_ref(p, s->ref);
	buf_putc(p->to, '\n');
	print_child(p, ref_expr(s->ref));
	print_child(p, s->a);
	print_child(p, s->b);
	print_child(p, s->c);
	if (s->block)
		print_block(p, s->block);
	if (s->other) {
		begin(p, "else\n");
		print_block(p, s->other);
	}
}

static void print_block(struct printer *p, const struct block *b)
{
	p->depth++;
	for (size_t i = 0; i < b->stmts.n; i++)
		print_stmt(p, b->stmts.p[i]);
	if (b->value) {
		begin(p, "value\n");
		print_child(p, b->value);
	}
	p->depth--;
}

static void print_macro(struct printer *p, const struct macro *m)
{
	begin(p, "macro");
	buf_printf(p->to, " %s", m->name);
	for (size_t i = 0; i < m->params.n; i++)
		buf_printf(p->to, " %s", m->params.p[i].name);
	buf_putc(p->to, '\n');
	print_block(p, m->block);
}

static void print_fn(struct printer *p, const struct fn *f)
{
	begin(p, "fn");
	buf_printf(p->to, " %s", f->name);
	print_ref(p, f->result);
	buf_putc(p->to, '\n');
	p->depth++;
	for (size_t i = 0; i < f->params.n; i++) {
		begin(p, "param");
		buf_printf(p->to, " %s", f->params.p[i].name);
		print_ref(p, f->params.p[i].ref);
		buf_putc(p->to, '\n');
	}
	p->depth--;
	print_block(p, f->block);
}

static void print_probe(struct printer *p, const struct probe *probe)
{
	begin(p, "probe");
	for (size_t i = 0; i < probe->points.n; i++)
		print_text(p, str_of(probe->points.p[i]->source));
	buf_putc(p->to, '\n');
	if (probe->predicate) {
		p->depth++;
		begin(p, "predicate\n");
		print_child(p, probe->predicate);
		p->depth--;
	}
	print_block(p, probe->block);
}

static void print_config(struct printer *p, const struct config_set *c)
{
	begin(p, "config");
	buf_printf(p->to, " %s", c->key);
	print_text(p, c->text);
	buf_putc(p->to, '\n');
}

void ast_print(const struct program *p, struct buf *to)
{
	struct printer printer = {.to = to};

	for (size_t i = 0; i < p->config.n; i++)
		print_config(&printer, &p->config.p[i]);
	for (size_t i = 0; i < p->imports.n; i++) {
		begin(&printer, "import");
		print_text(&printer, p->imports.p[i].path);
		buf_putc(to, '\n');
	}
	for (size_t i = 0; i < p->lets.n; i++)
		buf_printf(to, "map %s %s %llu\n", p->lets.p[i].name, p->lets.p[i].kind,
			   (unsigned long long)p->lets.p[i].n->number);
	for (size_t i = 0; i < p->macros.n; i++)
		print_macro(&printer, p->macros.p[i]);
	for (size_t i = 0; i < p->fns.n; i++)
		print_fn(&printer, p->fns.p[i]);
	for (size_t i = 0; i < p->probes.n; i++)
		print_probe(&printer, p->probes.p[i]);
}
