package pdf

import "math"

// matrix maps a place of one system to another (ISO 32000-1, 8.3.3).
type matrix [6]float64

func (m matrix) then(n matrix) matrix {
	return matrix{m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3], m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5]}
}

var same = matrix{1, 0, 0, 1, 0, 0}

// state is what q keeps and Q brings back.
type state struct {
	page  matrix
	font  *font
	size  float64
	lead  float64
	apart float64 // added between signs
}

const (
	mostKept     = 256 // states
	mostOperands = 64
	signWidth    = 0.55 // of a digit, in sizes of its font: most have 0.5 to 0.6
)

// writing follows the words over a page.
type writing struct {
	f      *file
	fonts  dict
	chosen map[name]*font
	state
	kept       []state
	text, line matrix
	out        []byte
	x, y       float64 // where the last word ended
}

// read follows the operators of a content stream (9.4).
func (w *writing) read(content []byte) error {
	l := &lexer{src: content}
	var operands []any
	for {
		v := l.next(mostNested)
		op, is := v.(keyword)
		switch {
		case l.over:
			return ErrTooMuch
		case is && op == "":
			return nil
		case is && op == "ID":
			skipPicture(l)
		case is:
			if err := w.do(op, operands); err != nil {
				return err
			}
		case len(operands) < mostOperands:
			operands = append(operands, v)
		}
		if is {
			operands, l.listed = operands[:0], 0
		}
	}
}

// skipPicture goes to the end of a picture that lies among the operators.
func skipPicture(l *lexer) {
	for ; l.at+2 < len(l.src); l.at++ {
		if blank(l.src[l.at]) && l.src[l.at+1] == 'E' && l.src[l.at+2] == 'I' && (l.at+3 == len(l.src) || !regular(l.src[l.at+3])) {
			l.at += 3
			return
		}
	}
	l.at = len(l.src)
}

// numbers are the last n operands.
func numbers(operands []any, n int) (out [6]float64) {
	from := max(0, len(operands)-n)
	for i, v := range operands[from:] {
		out[i], _ = v.(float64)
	}
	return out
}

func (w *writing) do(op keyword, operands []any) error {
	switch op {
	case "q":
		if len(w.kept) < mostKept {
			w.kept = append(w.kept, w.state)
		}
	case "Q":
		if n := len(w.kept); n > 0 {
			w.state, w.kept = w.kept[n-1], w.kept[:n-1]
		}
	case "cm":
		w.page = matrix(numbers(operands, 6)).then(w.page)
	case "BT":
		w.text, w.line = same, same
	case "Tf":
		w.size = numbers(operands, 1)[0]
		return w.choose(at(operands, len(operands)-2))
	case "TL":
		w.lead = numbers(operands, 1)[0]
	case "Tc":
		w.apart = numbers(operands, 1)[0]
	case "Td", "TD":
		n := numbers(operands, 2)
		if op == "TD" {
			w.lead = -n[1]
		}
		w.move(n[0], n[1])
	case "Tm":
		w.line = numbers(operands, 6)
		w.text = w.line
	case "T*", "'", "\"":
		w.move(0, -w.lead)
	}
	switch op {
	case "Tj", "TJ", "'", "\"":
		w.put(at(operands, len(operands)-1))
		return w.hand(together)
	case "BDC", "DP":
		return w.f.strings(at(operands, len(operands)-1)) // words that a picture of them stands for
	}
	return nil
}

func (w *writing) move(x, y float64) {
	w.line = matrix{1, 0, 0, 1, x, y}.then(w.line)
	w.text = w.line
}

func (w *writing) choose(called any) (err error) {
	key, _ := called.(name)
	if w.font = w.chosen[key]; w.font != nil {
		return nil
	}
	w.font = plain
	if v, ok := w.fonts[key]; ok {
		w.font, err = w.f.font(v)
		w.chosen[key] = w.font
	}
	return err
}

// put writes a string, or several with spaces in thousandths of the size between them.
func (w *writing) put(v any) {
	list, many := v.([]any)
	if !many {
		list = []any{v}
	}
	began := false
	for _, v := range list {
		switch v := v.(type) {
		case float64:
			w.forward(-v / 1000 * w.size)
			if v < -150 {
				w.out = append(w.out, ' ')
			}
		case []byte:
			if !began {
				w.begin()
				began = true
			}
			n := 0
			w.out, n = w.font.show(w.out, v)
			w.forward(float64(n) * (signWidth*w.size + w.apart))
		}
	}
	m := w.text.then(w.page)
	w.x, w.y = m[4], m[5]
}

// tail is how much of the words is handed out twice, so that no number falls in between.
const tail = 256

// hand hands the words out once there are so many.
func (w *writing) hand(most int) error {
	if len(w.out) < most {
		return nil
	}
	err := w.f.look.Text(w.out)
	w.out = append(w.out[:0], w.out[max(0, len(w.out)-tail):]...)
	return err
}

func (w *writing) forward(x float64) { w.text = matrix{1, 0, 0, 1, x, 0}.then(w.text) }

// begin tells words that stand together from those that do not: beside one another within two signs, or in the next line.
func (w *writing) begin() {
	m := w.text.then(w.page)
	size := math.Hypot(m[0], m[1])
	em := size * math.Abs(w.size)
	x, y := m[4]-w.x, m[5]-w.y
	if size > 0 { // along the writing, and across
		x, y = (x*m[0]+y*m[1])/size, (y*m[0]-x*m[1])/size
	}
	switch y = math.Abs(y); {
	case y < em/2 && x > -2*em && x < 2.5*em:
		w.out = append(w.out, ' ')
	case y >= em/2 && y < 1.7*em:
		w.out = append(w.out, '\n')
	default:
		w.out = append(w.out, '|', '\n')
	}
}
