"""Words that devices and programs write into file names, lower-case, accents folded.

Each set says how much a word must be believed: some are never a caption, some only beside others.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Never a word of a caption, so they go wherever they stand: cameras, phones, messengers, editors.
CODES = _words(
    """
    img imgp igp dsc dscn dscf dsca dsf dscim rscn pxl mvimg mvi gopr dji cimg hpim kimg kdc pict imag rimg cimage
    mmexport fullsizerender fullsizeoutput dcim dcp sdim sany hni ydxj mfdc rcnx sunp wsct syfw syer imge wechatimg
    wechat weixin kakaotalk fbimg rdt lrm mtxx myxj picsart inshot incollage photoroom photogrid snapseed vsco
    beautyplus youcam airbrush faceapp facetune meitu remini camscanner cameraedge camerazoom vlcsnap snipaste
    cleanshot greenshot flameshot scrot sharex gyazo lightshot synophoto smartselect screenshot scrnshot screencap
    screenclip adobestock gettyimages istock istockphoto shutterstock depositphotos dreamstime bigstock alamy
    snapinsta saveinsta hqdefault maxresdefault mqdefault sddefault microsoftteams ccf mdalarm ipcam rpicam picam
    mpv raspistill videocapture synothumb stitch ipcamera ipcam snagit timeburst hyperlapse avseq takepicture
    instasave ffmpeg opencv gp gptemp canstockphoto fotolia fbimage nvr
    """
)
# They name a file when nothing but numbers and companions stand beside them (`photo 3`), and are words of a
# caption otherwise (`photo frame`). In many languages.
FILE_WORDS = _words(
    """
    image images photo photos foto fotos pic pics picture pictures vid video videos mov movie untitled unnamed
    unknown unbenannt senzatitolo noname scan scans scanned capture captured snapshot snapshots download downloads
    burst attachment att attachments file files document doc upload uploaded tmp temp test tests asset avatar
    default preview original orig titre titel titulo titolo navn nazwy nome naam captura neues neuer neuen new neu
    neue nouveau nouvelle nuevo nueva nuovo nuova novo nova nieuw nieuwe ny nowy bild bilder imagen imagenes imagem
    imagens immagine immagini afbeelding afbeeldingen kuva kuvat zdjecie zdjecia obraz obrazek billede billeder
    bilde kep gorsel resim slika poza fotografia fotografie obrazok immagini numerisation escanear escaneado
    digitalizar digitalizado scansione gescannt skan skannaus descarga descargar telechargement herunterladen
    scaricato baixado pobrane capturar bildschirmfoto skarmbild skarmavbild skaermbillede skjermbilde skjermdump
    schermafbeelding schermafdruk schermata naytokuva nayttokuva kuvakaappaus kepernyofoto kepernyokep zrzut snimek
    snimka screencapture screenrecord whatsapp snapchat signal telegram messenger viber threema skype discord slack
    instagram insta facebook fb ig tumblr reddit twitter tiktok pinterest imo qq kakao received sent spoiler outlook
    teams zoom wx adobe office canon nikon sony olympus kodak fuji fujifilm panasonic lumix leica samsung pentax
    ricoh casio gopro huawei xiaomi oppo vivo epson logitech flir basler hikvision dahua reolink axis foscam arlo
    wyze pexels unsplash pixabay freepik vecteezy rawpixel 123rf oip th imgres b612 c360 collage pano clipboard
    pasted graphic graphics grafik slide folie result results input output cache profile design project projet
    proyecto progetto projekt ordner dokument documento documenti fotka fotograf fotos beeld beelden bilden scannen
    scannad namnlos naamloos canva creation recording picker cropper skarmklipp tangkapan stockphoto grab res
    messages clip screengrab goruntusu tytul tytulu medium large small schermopname scarica indir nedladdning
    fotografija obr asd asdf qwerty xxx
    """
)
# Names of the frames of a film or a station's camera: with any number behind, and no other word, they say nothing.
SERIES = _words(
    "frame frames cam snap shot still stills rgb ir ch timelapse tlc screengrab framegrab keyframe"
)
# The same, only with a number that a program counts (`0012`) or a date: else they may be things.
COUNTED = _words(
    """
    camera webcam thermal lidar infrared channel motion event trigger triggered alarm output out color colour left
    right front rear depth crop patch tile line lane station belt view angle side sensor roi object item sample
    detection timing schedule record gate conveyor polish snow beauty popout
    """
)
# `IMG_1 - Copy`, `2024-05-01 at 10.20.30 AM`: with numbers alone these mean nothing either.
LINKS = _words(
    """
    am at pm from of on the to by for de du la le les das der die el los las en em no na del di da do dos van von
    vom av af um om uhr kl kello klo ore hrs alle il as utc gmt og und et saat sans senza ohne sin uten bez sem
    zonder jpeg jpg heic heif png webp gif tif tiff bmp raw cr arw nef dng rf
    """
)
# What an editor or a copy adds, in many languages; beside words they are left out at either end.
COPIES = _words(
    """
    copy copie kopie copia kopia kopio kopi kopija kopya kopyasi duplicate duplikat dupe masolat
    """
)
EDITS = _words(
    """
    edit edited cropped crop resized resize rotated rotate compressed compress scaled upscaled enhanced enhance
    thumb thumbnail thumbnails optimized optimised converted watermarked removebg nobg bearbeitet zugeschnitten
    gedreht modifie modifiee recadre modificato modificata ritagliata editado editada recortado recortada bewerkt
    bijgesneden redigeret redigerad redigert beskaret edytowane edytowany muokattu upraveno upravene duzenlendi
    editat diedit szerkesztett retouched retouch transformed snapseed exported filtered blur blurred fixed flipped
    mirrored sepia lowres highres modificada modificado grayscale greyscale sharpened straightened inverted
    converted
    """
)
# `PXL_1.PORTRAIT`, `IMG_1_small`: beside a code or a date they mean nothing; alone they may be things (`cover`).
MODES = _words(
    """
    cover fb gif hdr ios android mp ts night on auto original orig pano panorama portrait share shared top vhdr wa
    animation effects effect motion long exposure macro focus raw burst cover comp hht bf dof bokeh smile mix popout
    save saved pro lens small medium large big mini tiny full hd xl xxl min preview custom mobile web main final
    high low res resolution size cinematic action live win fly lv webcam still rich selfie vr astro bw wm sd ip cdv
    layar pukul another panoramic mfnr pdf share take documents insta recording full medium roll tytulu pic error
    pip drawing annotated ui one home chrome import export exported via app com ecran ekranu ekran obrazovky
    pantalla tela schermo resmi goruntusu alintisi front back rear perfect processed preset cloud photoeditor php
    """
)
MONTHS = _words(
    """
    jan january januar janvier enero janeiro gennaio januari feb february februar fevrier febrero fevereiro febbraio
    februari mar march marz mars marzo marco maart apr april avril abril aprile may mai mayo maio maggio mei maj jun
    june juni juin junio junho giugno jul july juli juillet julio julho luglio aug august aout agosto augustus
    augusti sep sept september septembre septiembre setembro settembre oct october oktober octobre octubre outubro
    ottobre nov november novembre noviembre novembro dec december dez dezember decembre diciembre dezembro dicembre
    mon monday tue tuesday wed wednesday thu thursday fri friday sat saturday sun sunday
    """
)
