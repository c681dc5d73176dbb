package attach

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/webp"

	"aver/base/errs"
)

const (
	mostPixels = 40_000_000 // checked before anything is decoded: a small file can claim any size
	perPixel   = 16         // bytes that drawing takes at most: a progressive JPEG keeps 15 while it is decoded, a deep PNG 8
	quality    = 88         // of JPEG: 0 to 100
)

var (
	errPixels  = errs.New(errs.TooLarge, "The picture has more than 40 million pixels. Send a smaller one.")
	errPicture = errs.New(errs.Invalid, "The picture is damaged.", errs.Field{Field: "file", Code: "damaged", Message: "The picture is damaged."})
)

type decoder struct {
	size func([]byte) (image.Config, error)
	read func([]byte) (image.Image, error)
}

var decoders = map[string]decoder{
	jpegKind: {
		func(raw []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(raw)) },
		func(raw []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(raw)) },
	},
	pngKind: {
		func(raw []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(raw)) },
		func(raw []byte) (image.Image, error) { return png.Decode(bytes.NewReader(raw)) },
	},
	gifKind: {
		func(raw []byte) (image.Config, error) { return gif.DecodeConfig(bytes.NewReader(raw)) },
		func(raw []byte) (image.Image, error) { return gif.Decode(bytes.NewReader(raw)) }, // the first frame
	},
	webpKind: {
		func(raw []byte) (image.Config, error) { return webp.DecodeConfig(bytes.NewReader(raw)) },
		func(raw []byte) (image.Image, error) { return webp.Decode(bytes.NewReader(raw)) },
	},
}

// redraw decodes a picture and encodes what was seen, upright. It returns the new bytes and their kind.
func redraw(ctx context.Context, kind string, raw []byte) (out []byte, as string, err error) {
	d := decoders[kind]
	config, err := d.size(raw)
	if err != nil || config.Width < 1 || config.Height < 1 {
		return nil, "", errPicture
	}
	if config.Width > mostPixels/config.Height {
		return nil, "", errPixels
	}
	part := drawing.part()
	defer part.leave()
	if err := part.take(ctx, perPixel*int64(config.Width)*int64(config.Height)); err != nil {
		return nil, "", err
	}
	defer func() {
		if p := recover(); p != nil { // a decoder that trips over a picture made to trip it
			out, as, err = nil, "", errPicture.Because(fmt.Errorf("decoder panicked: %v", p))
		}
	}()
	picture, err := d.read(raw)
	if err != nil {
		return nil, "", errPicture.Because(err)
	}
	if kind == jpegKind {
		picture = upright(picture, orientation(raw))
	}
	return encode(kind, picture)
}

func encode(kind string, picture image.Image) ([]byte, string, error) {
	var out bytes.Buffer
	var err error
	if kind == webpKind { // which nobody encodes here
		kind = pngKind
		if o, ok := picture.(interface{ Opaque() bool }); ok && o.Opaque() {
			kind = jpegKind
		}
	}
	switch kind {
	case jpegKind:
		err = jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality})
	case gifKind:
		err = gif.Encode(&out, picture, nil)
	default:
		err = png.Encode(&out, picture)
	}
	if err != nil {
		return nil, "", errPicture.Because(err)
	}
	return out.Bytes(), kind, nil
}

// orientation reads how a camera was held: the tag 0x0112 of Exif (1 to 8), and 1 for anything else.
func orientation(raw []byte) int {
	for at := 2; at+4 <= len(raw) && raw[at] == 0xff && raw[at+1] != 0xda; {
		size := int(binary.BigEndian.Uint16(raw[at+2:]))
		end := at + 2 + size
		if size < 2 || end > len(raw) {
			return 1
		}
		if body := raw[at+4 : end]; raw[at+1] == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return turned(body[6:])
		}
		at = end
	}
	return 1
}

// turned finds the tag in the first directory of a TIFF.
func turned(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if tiff[0] == 'M' {
		order = binary.BigEndian
	}
	start := int64(order.Uint32(tiff[4:]))
	if start+2 > int64(len(tiff)) {
		return 1
	}
	for i := range int64(order.Uint16(tiff[start:])) {
		entry := start + 2 + 12*i
		if entry+12 > int64(len(tiff)) {
			return 1
		}
		if order.Uint16(tiff[entry:]) == 0x0112 {
			if n := int(order.Uint16(tiff[entry+8:])); n >= 1 && n <= 8 {
				return n
			}
			return 1
		}
	}
	return 1
}

// upright turns a picture as its orientation asks.
func upright(from image.Image, orientation int) image.Image {
	if orientation == 1 {
		return from
	}
	b := from.Bounds()
	w, h := b.Dx(), b.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	to := image.NewRGBA(size)
	photo, _ := from.(*image.YCbCr)
	for y := range h {
		for x := range w {
			tx, ty := place(orientation, x, y, w-1, h-1)
			if photo == nil {
				to.Set(tx, ty, from.At(b.Min.X+x, b.Min.Y+y))
				continue
			}
			c := photo.YCbCrAt(b.Min.X+x, b.Min.Y+y)
			red, green, blue := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
			to.SetRGBA(tx, ty, color.RGBA{R: red, G: green, B: blue, A: 255})
		}
	}
	return to
}

// place tells where a pixel goes; right and bottom are the largest coordinates.
func place(orientation, x, y, right, bottom int) (int, int) {
	switch orientation {
	case 2:
		return right - x, y
	case 3:
		return right - x, bottom - y
	case 4:
		return x, bottom - y
	case 5:
		return y, x
	case 6:
		return bottom - y, x
	case 7:
		return bottom - y, right - x
	default:
		return y, right - x
	}
}
