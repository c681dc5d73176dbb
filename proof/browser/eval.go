package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// library is put in front of every expression. It leaves nothing behind in the page. Elements in open shadow roots are
// found as well.
const library = `const aver = {
	roots: function* (root) { yield root; for (const e of root.querySelectorAll('*')) if (e.shadowRoot) yield* aver.roots(e.shadowRoot) },
	all: s => [...aver.roots(document)].flatMap(r => [...r.querySelectorAll(s)]),
	find: s => { for (const r of aver.roots(document)) { const e = r.querySelector(s); if (e) return e } return null },
	visible: e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 && e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) },
	top: (x, y) => { let e = document.elementFromPoint(x, y); while (e && e.shadowRoot) { const inner = e.shadowRoot.elementFromPoint(x, y); if (!inner || inner === e) break; e = inner } return e },
	holds: (outer, e) => { for (; e; e = e.parentNode || e.host) if (e === outer) return true; return false },
	target: async s => {
		if (document.readyState !== 'complete') return { why: 'the page is loading' };
		const e = aver.all(s).find(aver.visible);
		if (!e) return { why: 'it is not visible' };
		if (e.disabled) return { why: 'it is disabled' };
		e.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
		const a = e.getBoundingClientRect();
		await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)));
		const b = e.getBoundingClientRect();
		if (a.x !== b.x || a.y !== b.y || a.width !== b.width) return { why: 'it moves' };
		const x = b.x + b.width / 2, y = b.y + b.height / 2, over = aver.top(x, y);
		if (!aver.holds(e, over) && !(over && over.closest('label')?.control === e)) return { why: 'it is covered by ' + (over ? over.outerHTML.slice(0, 120) : 'nothing in view') };
		return { x, y };
	},
};
`

// Eval returns the value of an expression in the page or frame, and waits for promises. Each %s stands for one of the
// values, written as JavaScript.
func Eval[T any](b *Tab, expression string, values ...any) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := eval[T](ctx, b, fill(expression, values))
	if err != nil {
		b.t.Fatalf("browser: evaluate %s: %v", expression, err)
	}
	return value
}

// Run runs statements in the page or frame and waits for what they await.
func (b *Tab) Run(statements string, values ...any) {
	b.t.Helper()
	Eval[bool](b, "(async () => { "+statements+"\n; return true })()", values...)
}

// Until waits until a JavaScript condition, or the promise of one, holds; what names it in the failure.
func (b *Tab) Until(what, condition string, values ...any) {
	b.t.Helper()
	condition = fill(condition, values)
	b.retry("waited for "+what, func(ctx context.Context) error {
		holds, err := eval[bool](ctx, b, "!!(await ("+condition+"))")
		if err == nil && !holds {
			err = errors.New("it is not so")
		}
		return err
	})
}

// retry repeats an attempt until it succeeds or patience ends. A page that navigates meanwhile is no reason to give up.
func (b *Tab) retry(doing string, attempt func(context.Context) error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	var last error
	for {
		err := attempt(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			b.t.Fatalf("browser: %s in vain: %v\nconsole: %q", doing, last, b.Console())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

type point struct {
	X, Y float64
	Why  string
}

// target waits until an element can be clicked and returns where, in the page's coordinates.
func (b *Tab) target(selector string) point {
	b.t.Helper()
	var at point
	b.retry("waited to click "+selector, func(ctx context.Context) (err error) {
		if at, err = eval[point](ctx, b, fill("aver.target(%s)", []any{selector})); err != nil {
			return err
		}
		if at.Why != "" {
			return errors.New(at.Why)
		}
		return nil
	})
	if b.frame != "" {
		page := b.In("")
		corner := Eval[point](page, "(e => { const r = e.getBoundingClientRect(); return { x: r.x + e.clientLeft, y: r.y + e.clientTop } })(aver.find(%s))", b.frame)
		at.X, at.Y = at.X+corner.X, at.Y+corner.Y
	}
	return at
}

// eval evaluates in the page, or calls a function on the document of the frame, which runs it there.
func eval[T any](ctx context.Context, b *Tab, expression string) (T, error) {
	body := library + "return (" + expression + ")"
	if b.frame == "" {
		return chromedp.Run(ctx, chromedp.Evaluate[T]("(async () => { "+body+" })()", chromedp.EvalAwaitPromise))
	}
	return chromedp.Run(ctx, func(ctx context.Context, target *chromedp.Target) (none T, err error) {
		document, err := frameDocument(ctx, target, b.frame)
		if err != nil {
			return none, err
		}
		return chromedp.CallFunctionOn[T]("async function() { "+body+" }", func(p *runtime.CallFunctionOnParams) {
			p.ObjectID = document
			p.AwaitPromise = new(true)
		})(ctx, target)
	})
}

// frameDocument finds the document inside an iframe.
func frameDocument(ctx context.Context, target *chromedp.Target, selector string) (runtime.RemoteObjectID, error) {
	element, err := chromedp.Evaluate[*runtime.RemoteObject](fill("(() => { "+library+"return aver.find(%s) })()", []any{selector}))(ctx, target)
	if err != nil {
		return "", err
	}
	if element.ObjectID == "" {
		return "", fmt.Errorf("there is no frame %s", selector)
	}
	described, err := cdp.Call(ctx, target, dom.DescribeNode, dom.DescribeNodeParams{ObjectID: element.ObjectID})
	if err != nil {
		return "", err
	}
	if described.Node.ContentDocument == nil {
		return "", fmt.Errorf("%s holds no document", selector)
	}
	resolved, err := cdp.Call(ctx, target, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: described.Node.ContentDocument.BackendNodeID})
	if err != nil {
		return "", err
	}
	return resolved.Object.ObjectID, nil
}

// fill writes values into an expression as JavaScript.
func fill(expression string, values []any) string {
	if len(values) == 0 {
		return expression
	}
	literals := make([]any, len(values))
	for i, value := range values {
		literal, err := json.Marshal(value)
		if err != nil {
			panic(fmt.Sprintf("browser: %T cannot be written as JavaScript: %v", value, err))
		}
		literals[i] = string(literal)
	}
	return fmt.Sprintf(expression, literals...)
}
